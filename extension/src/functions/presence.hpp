// What is in a table, found quickly or not at all: small tables are counted, of large ones the planner's estimate and
// the ends of an index are taken. Never waits for a lock.

#pragma once

#include <algorithm>

#include "core/summary.hpp"
#include "pg/prelude.hpp"

namespace gravitas::telemetry {

struct Presence {
    std::uint64_t rows = 0;
    bool is_estimate = false;          // the number of rows
    std::optional<TimestampTz> oldest; // nothing where there are none, or where finding out would take long
    std::optional<TimestampTz> newest;

    void add(const core::Occurrence &events) noexcept
    {
        rows += events.events;
        if (events.events > 0)
            widen(events.first_at, events.last_at);
    }
    void merge(const Presence &other) noexcept
    {
        rows += other.rows;
        is_estimate |= other.is_estimate;
        if (other.oldest && other.newest)
            widen(*other.oldest, *other.newest);
    }

private:
    void widen(TimestampTz first, TimestampTz last) noexcept
    {
        oldest = oldest ? std::min(*oldest, first) : first;
        newest = newest ? std::max(*newest, last) : last;
    }
};

// A table that is locked for reading and open as long as this lives on, or neither where that would have to wait. Has
// no destructor: close() it.
class ReadableTable {
public:
    explicit ReadableTable(Oid id);
    [[nodiscard]] bool is_open() const noexcept { return relation_ != nullptr; }
    [[nodiscard]] Relation relation() const noexcept { return relation_; }
    void close();

private:
    Relation relation_ = nullptr; // nullptr: locked, gone, or not to be read by the current user as it is
};

// Rows of a table and the ends of one of its columns, a timestamptz.
Presence presence_in(Oid table, const char *time_column);

// The number of rows that VACUUM or ANALYZE last found.
Presence recorded_estimate(Oid table);

} // namespace gravitas::telemetry
