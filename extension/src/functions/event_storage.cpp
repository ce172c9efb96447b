#include "functions/event_storage.hpp"

#include "functions/event_columns.hpp"
#include "pg/relation.hpp"
#include "pg/spi.hpp"
#include "pg/table_appender.hpp"

extern "C" {
#include "access/table.h"
#include "commands/sequence.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/partcache.h"
}

namespace gravitas::telemetry {

namespace {

// ---- Which partition ----

// The partition of telemetry.event that an event of this time belongs in, as the partition bounds say.
Oid find_partition(Relation events, TimestampTz at)
{
    PartitionDesc const partitions = RelationGetPartitionDesc(events, true);
    PartitionKey const key = RelationGetPartitionKey(events);
    PartitionBoundInfo const bounds = partitions->boundinfo;
    int found = -1;
    if (partitions->nparts > 0) {
        Datum value = TimestampTzGetDatum(at);
        bool is_equal = false;
        const int offset =
            partition_range_datum_bsearch(key->partsupfunc, key->partcollation, bounds, 1, &value, &is_equal);
        found = bounds->indexes[offset + 1];
        if (found < 0)
            found = bounds->default_index;
    }
    if (found < 0)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("telemetry.event has no partition for the event"),
                        errhint("Attach telemetry.event_default to it again, as its default partition.")));
    return partitions->oids[found];
}

// The same, locked. While it waited for the lock, the day may have got a partition of its own, or lost it.
Oid lock_partition(Relation events, TimestampTz at)
{
    for (;;) {
        const Oid partition = find_partition(events, at);
        LockRelationOid(partition, RowExclusiveLock);
        if (find_partition(events, at) == partition)
            return partition;
    }
}

// ---- Which column ----

constexpr const char *column_names[column_count] = {
    "timestamp",        "id",     "event_type", "component", "value", "duration_ms", "first_token_ms", "prompt_tokens",
    "tokens_generated", "status", "metadata"};
constexpr Oid column_types[column_count] = {TIMESTAMPTZOID, INT8OID, TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID,
                                            FLOAT8OID,      INT4OID, INT4OID, TEXTOID, JSONBOID};

// At which place a partition has each column: in its own order, which a dropped column or a restore may have changed.
struct ColumnPlaces {
    int place[column_count];

    // False where its columns are not just these.
    bool find(TupleDesc descriptor) noexcept
    {
        int live = 0;
        for (int i = 0; i < descriptor->natts; ++i)
            live += TupleDescAttr(descriptor, i)->attisdropped ? 0 : 1;
        if (live != column_count)
            return false;
        for (int column = 0; column < column_count; ++column)
            if (!find_one(descriptor, column))
                return false;
        return true;
    }

private:
    bool find_one(TupleDesc descriptor, int column) noexcept
    {
        for (int i = 0; i < descriptor->natts; ++i) {
            const int candidate = (column + i) % descriptor->natts; // at its own place, mostly
            const FormData_pg_attribute &attribute = *TupleDescAttr(descriptor, candidate);
            if (!attribute.attisdropped && attribute.atttypid == column_types[column] &&
                strcmp(NameStr(attribute.attname), column_names[column]) == 0) {
                place[column] = candidate;
                return true;
            }
        }
        return false;
    }
};

// ---- Rows ----

struct Row {
    Datum values[column_count];
    bool nulls[column_count];

    explicit Row(const Event &event) noexcept
    {
        const core::Figures &figures = event.figures;
        set(timestamp_column, TimestampTzGetDatum(event.timestamp), false);
        set(id_column, Int64GetDatum(event.id), false);
        set(event_type_column, PointerGetDatum(event.event_type), false);
        set(component_column, PointerGetDatum(event.component), event.component == nullptr);
        set(value_column, Float8GetDatum(figures.value.value_or(0)), !figures.value);
        set(duration_ms_column, Float8GetDatum(figures.duration_ms.value_or(0)), !figures.duration_ms);
        set(first_token_ms_column, Float8GetDatum(figures.first_token_ms.value_or(0)), !figures.first_token_ms);
        set(prompt_tokens_column, Int32GetDatum(figures.prompt_tokens.value_or(0)), !figures.prompt_tokens);
        set(tokens_generated_column, Int32GetDatum(figures.tokens_generated.value_or(0)), !figures.tokens_generated);
        set(status_column, PointerGetDatum(event.status), event.status == nullptr);
        set(metadata_column, PointerGetDatum(event.metadata), event.metadata == nullptr);
    }

private:
    void set(EventColumn column, Datum datum, bool is_null) noexcept
    {
        values[column] = datum;
        nulls[column] = is_null;
    }
};

void fill(TupleTableSlot *slot, const ColumnPlaces &places, const Event &event)
{
    const Row row(event);
    if (slot->tts_tupleDescriptor->natts > column_count) // dropped ones are NULL
        memset(slot->tts_isnull, true, static_cast<std::size_t>(slot->tts_tupleDescriptor->natts));
    for (int column = 0; column < column_count; ++column) {
        slot->tts_values[places.place[column]] = row.values[column];
        slot->tts_isnull[places.place[column]] = row.nulls[column];
    }
}

// The executor's way, with the id that was given out already; false where a trigger suppressed the event.
bool insert_with_id(const Event &event)
{
    static pg::PreparedStatement<column_count> statement{
        "INSERT INTO telemetry.event (\"timestamp\", id, event_type, component, value, duration_ms, first_token_ms,"
        " prompt_tokens, tokens_generated, status, metadata)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        column_types};
    const Row row(event);
    bool stored = false;
    pg::with_spi([&] {
        statement.execute(row.values, row.nulls, SPI_OK_INSERT);
        stored = SPI_processed > 0;
    });
    return stored;
}

// Stores all events that belong in the partition of the first one and are not done yet.
void append_to_partition(Relation parent, Event *events, std::size_t count, std::size_t first, bool *is_done)
{
    const Oid id = lock_partition(parent, events[first].timestamp);
    Relation const partition = table_open(id, NoLock);
    ColumnPlaces places;
    std::optional<pg::TableAppender> appender;
    if (partition->rd_rel->relkind == RELKIND_RELATION && pg::is_plain_table(partition) &&
        places.find(RelationGetDescr(partition)))
        appender.emplace(partition);
    for (std::size_t i = first; i < count; ++i) {
        Event &event = events[i];
        if (is_done[i] || (i > first && find_partition(parent, event.timestamp) != id))
            continue;
        if (appender)
            fill(appender->next_row(), places, event);
        event.is_stored = appender || insert_with_id(event);
        is_done[i] = true;
    }
    if (appender)
        appender->finish();
    table_close(partition, NoLock);
}

} // namespace

bool stores_plainly()
{
    Relation const events = table_open(pg::relation_of("event"), RowExclusiveLock);
    const bool plain = pg::is_plain_table(events) && pg::may_insert_plainly(events);
    table_close(events, NoLock);
    return plain;
}

EventIds::EventIds() : sequence_(pg::relation_of("event_id_seq")) {}

std::int64_t EventIds::next() { return nextval_internal(sequence_, true); }

void append_events(Event *events, std::size_t count)
{
    Relation const parent = table_open(pg::relation_of("event"), RowExclusiveLock);
    bool *const is_done = static_cast<bool *>(palloc0(count));
    for (std::size_t first = 0; first < count; ++first)
        if (!is_done[first])
            append_to_partition(parent, events, count, first, is_done);
    pfree(is_done);
    table_close(parent, NoLock);
}

bool insert_event(Event &event)
{
    static pg::PreparedStatement<column_count> statement{
        "INSERT INTO telemetry.event (\"timestamp\", event_type, component, value, duration_ms, first_token_ms,"
        " prompt_tokens, tokens_generated, status, metadata)"
        " VALUES ($1, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
        column_types};
    Relation const events = table_open(pg::relation_of("event"), RowExclusiveLock);
    lock_partition(events, event.timestamp);
    table_close(events, NoLock);
    const Row row(event);
    event.is_stored = false;
    pg::with_spi([&] {
        statement.execute(row.values, row.nulls, SPI_OK_INSERT_RETURNING);
        if (SPI_processed > 0) {
            event.id = DatumGetInt64(pg::only_value(1));
            event.is_stored = true;
        }
    });
    return event.is_stored;
}

} // namespace gravitas::telemetry
