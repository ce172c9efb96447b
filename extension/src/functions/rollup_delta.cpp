#include "functions/rollup_delta.hpp"

#include "core/time_bucket.hpp"
#include "functions/overdue.hpp"
#include "functions/rollup.hpp"
#include "pg/arguments.hpp"
#include "pg/expanded.hpp"
#include "pg/relation.hpp"
#include "pg/spi.hpp"
#include "pg/table_appender.hpp"

extern "C" {
#include "access/table.h"
#include "utils/xid8.h"
}

namespace gravitas::telemetry {

namespace {

using Group = core::RollupFold::Group;

core::Observation observation_of(const Event &event) noexcept
{
    core::Observation observation;
    observation.kind = core::kind_of(pg::view_of(event.event_type));
    observation.is_error = event.status != nullptr && core::is_error_status(pg::view_of(event.status));
    observation.at = event.timestamp;
    observation.value = event.figures.value;
    observation.duration_ms = event.figures.duration_ms;
    observation.first_token_ms = event.figures.first_token_ms;
    observation.prompt_tokens = event.figures.prompt_tokens;
    observation.tokens_generated = event.figures.tokens_generated;
    return observation;
}

std::string_view copy_of(std::string_view text, MemoryContext context)
{
    char *const copy = static_cast<char *>(MemoryContextAlloc(context, text.size()));
    memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

// A delta on its way to its row.
struct Delta {
    Datum bucket;
    Datum event_type;
    Datum component;
    bool has_component;
    Datum summary;

    explicit Delta(const Group &group)
        : bucket(TimestampTzGetDatum(group.bucket)), event_type(key(group.event_type)),
          component(group.component ? key(*group.component) : Datum{0}), has_component(group.component.has_value()),
          summary(pg::flat_datum(group.summary))
    {
    }

private:
    static Datum key(std::string_view name)
    {
        return PointerGetDatum(rollup_key(cstring_to_text_with_len(name.data(), static_cast<int>(name.size()))));
    }
};

enum Column { added_by, bucket, event_type, component, summary, column_count };

void fill(TupleTableSlot *slot, const Delta &delta, FullTransactionId transaction)
{
    const Datum values[column_count] = {FullTransactionIdGetDatum(transaction), delta.bucket, delta.event_type,
                                        delta.component, delta.summary};
    memcpy(slot->tts_values, values, sizeof values);
    memset(slot->tts_isnull, false, column_count);
    slot->tts_isnull[component] = !delta.has_component;
}

// The executor's way.
void insert(const Delta &delta)
{
    // A parameter of type bytea, whose oid is the same in every database and after every CREATE EXTENSION.
    static pg::PreparedStatement<4> statement{"INSERT INTO telemetry.rollup_delta (bucket, event_type, component, "
                                              "summary) VALUES ($1, $2, $3, telemetry.summary($4))",
                                              {TIMESTAMPTZOID, TEXTOID, TEXTOID, BYTEAOID}};
    pg::with_spi([&] {
        statement.execute({delta.bucket, delta.event_type, delta.component, delta.summary},
                          {false, false, !delta.has_component, false}, SPI_OK_INSERT);
    });
}

void append(const Group *const *groups, std::size_t count)
{
    const Oid id = pg::relation_of("rollup_delta");
    if (!OidIsValid(id))
        return; // the library is newer than the extension's objects: ALTER EXTENSION UPDATE will summarize the events
    Relation const table = table_open(id, RowExclusiveLock);
    if (pg::is_plain_table(table) && pg::may_insert_plainly(table)) {
        const FullTransactionId transaction = GetTopFullTransactionId();
        pg::TableAppender appender(table);
        for (std::size_t i = 0; i < count; ++i)
            fill(appender.next_row(), Delta(*groups[i]), transaction);
        appender.finish();
    } else {
        for (std::size_t i = 0; i < count; ++i)
            insert(Delta(*groups[i]));
    }
    table_close(table, NoLock);
    notice_deltas(count);
}

Group group_of(const Event &event, std::pmr::memory_resource &memory)
{
    return {core::floor_to(event.timestamp, core::minute_us), pg::view_of(event.event_type),
            event.component == nullptr ? std::nullopt : std::optional(pg::view_of(event.component)), 0,
            core::Summary(memory)};
}

} // namespace

DeltaFold::DeltaFold(MemoryContext parent)
    : context_(AllocSetContextCreateInternal(parent, "telemetry deltas", ALLOCSET_SMALL_SIZES)), memory_(context_),
      fold_(memory_)
{
}

void DeltaFold::add(const Event *events, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i)
        if (events[i].is_stored)
            add(events[i]);
    if (MemoryContextMemAllocated(context_, false) >= most_bytes)
        flush();
}

void DeltaFold::add(const Event &event)
{
    const std::size_t groups = fold_.size();
    Group &group = fold_.group(core::floor_to(event.timestamp, core::minute_us), pg::view_of(event.event_type),
                               event.component == nullptr ? std::nullopt : std::optional(pg::view_of(event.component)));
    if (fold_.size() > groups) { // the event's strings need not live as long
        group.event_type = copy_of(group.event_type, context_);
        if (group.component)
            group.component = copy_of(*group.component, context_);
    }
    group.summary.add(observation_of(event));
}

void DeltaFold::flush()
{
    if (fold_.size() == 0)
        return;
    MemoryContext const before = MemoryContextSwitchTo(context_); // so that the rows go with the groups
    append(fold_.begin(), fold_.size());
    MemoryContextSwitchTo(before);
    MemoryContextReset(context_);
    fold_ = core::RollupFold(memory_);
}

void append_delta(const Event &event)
{
    pg::ContextResource memory(CurrentMemoryContext);
    Group group = group_of(event, memory);
    group.summary.add(observation_of(event));
    const Group *const only = &group;
    append(&only, 1);
}

} // namespace gravitas::telemetry
