// How much disk a table takes, without a lock: pg_total_relation_size() waits for whoever is about to drop the table.

#pragma once

#include "pg/prelude.hpp"

namespace gravitas::telemetry::pg {

struct RelationBytes {
    std::int64_t heap = 0;
    std::int64_t index = 0;
    std::int64_t toast = 0; // with its index

    [[nodiscard]] std::int64_t total() const noexcept { return heap + index + toast; }
    RelationBytes &operator+=(const RelationBytes &other) noexcept
    {
        heap += other.heap;
        index += other.index;
        toast += other.toast;
        return *this;
    }
};

// What the files of a table, its indexes and its TOAST table take now; 0 for what is gone.
RelationBytes relation_bytes(Oid table);

} // namespace gravitas::telemetry::pg
