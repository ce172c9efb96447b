// The view system_telemetry as a table to write to: rows inserted go through the sink, deleted ones leave
// telemetry.event, and updates are refused.

#include "functions/event_columns.hpp"
#include "functions/insert_stream.hpp"
#include "functions/metadata.hpp"
#include "functions/sink.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "commands/copy.h"
}

using namespace gravitas::telemetry;

namespace {

struct Row {
    Datum values[column_count];
    bool nulls[column_count];

    std::optional<double> float8(EventColumn column) const noexcept
    {
        return nulls[column] ? std::nullopt : std::optional(DatumGetFloat8(values[column]));
    }
    std::optional<std::int32_t> int4(EventColumn column) const noexcept
    {
        return nulls[column] ? std::nullopt : std::optional<std::int32_t>(DatumGetInt32(values[column]));
    }
    text *text_or_null(EventColumn column) const { return nulls[column] ? nullptr : DatumGetTextPP(values[column]); }

    void set(EventColumn column, bool is_null, Datum value) noexcept
    {
        nulls[column] = is_null;
        values[column] = value;
    }
    void set(EventColumn column, const std::optional<double> &value)
    {
        set(column, !value, value ? Float8GetDatum(*value) : Datum{0});
    }
    void set(EventColumn column, const std::optional<std::int32_t> &value) noexcept
    {
        set(column, !value, value ? Int32GetDatum(*value) : Datum{0});
    }
};

Row row_of(const TriggerData &trigger, HeapTuple tuple)
{
    Row row;
    heap_deform_tuple(tuple, RelationGetDescr(trigger.tg_relation), row.values, row.nulls);
    return row;
}

void require(const Row &row, EventColumn column, const char *name)
{
    if (row.nulls[column])
        throw core::Error("23502", std::string("null value in column \"") + name + "\" of view \"system_telemetry\"");
}

Event event_of(const Row &row)
{
    require(row, timestamp_column, "timestamp");
    require(row, event_type_column, "event_type");
    if (!row.nulls[id_column])
        throw core::Error("428C9", "column \"id\" of view \"system_telemetry\" is always generated",
                          "Leave id out of the column list of the INSERT.");
    Event event = {};
    event.timestamp = DatumGetTimestampTz(row.values[timestamp_column]);
    event.event_type = row.text_or_null(event_type_column);
    event.component = row.text_or_null(component_column);
    event.figures.value = row.float8(value_column);
    event.figures.duration_ms = row.float8(duration_ms_column);
    event.figures.first_token_ms = row.float8(first_token_ms_column);
    event.figures.prompt_tokens = row.int4(prompt_tokens_column);
    event.figures.tokens_generated = row.int4(tokens_generated_column);
    event.status = row.text_or_null(status_column);
    event.metadata = row.nulls[metadata_column] ? nullptr : DatumGetJsonbP(row.values[metadata_column]);
    return event;
}

// Whether COPY is what runs the trigger: it shows the stored rows to nobody. While it stores rows, a function of its
// own adds the line to every error.
bool is_copying() noexcept
{
    return error_context_stack != nullptr && error_context_stack->callback == CopyFromErrorCallback;
}

std::optional<std::int64_t> take(Event &event)
{
    InsertStream *const stream = InsertStream::current();
    if (stream == nullptr)
        return store(event);
    prepare(event);
    return stream->add(event);
}

// Stores the new row and returns it as the view will show it, so that RETURNING is right.
HeapTuple insert_row(const TriggerData &trigger)
{
    Row row = row_of(trigger, trigger.tg_trigtuple);
    Event event = event_of(row);
    const std::optional<std::int64_t> id = take(event);
    if (!id)
        return nullptr; // a trigger of the user's on telemetry.event suppressed it
    if (is_copying())
        return trigger.tg_trigtuple;

    const core::EventKind kind = core::kind_of(pg::view_of(event.event_type));
    Jsonb *const metadata = with_document(kind, event.component, event.figures, event.metadata);
    row.set(id_column, false, Int64GetDatum(*id));
    row.set(component_column, event.component == nullptr, PointerGetDatum(event.component));
    row.set(value_column, event.figures.value);
    row.set(duration_ms_column, event.figures.duration_ms);
    row.set(first_token_ms_column, event.figures.first_token_ms);
    row.set(prompt_tokens_column, event.figures.prompt_tokens);
    row.set(tokens_generated_column, event.figures.tokens_generated);
    row.set(metadata_column, metadata == nullptr, PointerGetDatum(metadata));
    return heap_form_tuple(RelationGetDescr(trigger.tg_relation), row.values, row.nulls);
}

// Deletes the stored event behind the old row; nullptr where another session was faster.
HeapTuple delete_row(const TriggerData &trigger)
{
    static pg::PreparedStatement<2> statement{
        "DELETE FROM telemetry.event WHERE \"timestamp\" OPERATOR(pg_catalog.=) $1"
        " AND id OPERATOR(pg_catalog.=) $2",
        {TIMESTAMPTZOID, INT8OID}};
    const Row row = row_of(trigger, trigger.tg_trigtuple);
    std::uint64_t deleted = 0;
    pg::with_spi([&] {
        statement.execute({row.values[timestamp_column], row.values[id_column]}, {false, false}, SPI_OK_DELETE);
        deleted = SPI_processed;
    });
    return deleted == 0 ? nullptr : trigger.tg_trigtuple;
}

} // namespace

// id_to_generate() → NULL, the default of the view's id
TELEMETRY_FUNCTION(id_to_generate)
{
    if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
        throw core::Error("55000",
                          "cannot insert into view \"system_telemetry\" with session_replication_role = replica",
                          "Insert into telemetry.event, or SET session_replication_role = origin.");
    PG_RETURN_NULL();
}

// All triggers of the view: BEFORE and AFTER an INSERT statement, and INSTEAD OF each row's INSERT, UPDATE or DELETE.
TELEMETRY_FUNCTION(system_telemetry_write)
{
    if (!CALLED_AS_TRIGGER(fcinfo))
        throw core::Error("39P01", "system_telemetry_write() can only be called as a trigger");
    const TriggerData &trigger = *reinterpret_cast<TriggerData *>(fcinfo->context);
    const bool for_row = TRIGGER_FIRED_FOR_ROW(trigger.tg_event);
    if (for_row != TRIGGER_FIRED_INSTEAD(trigger.tg_event) ||
        RelationGetDescr(trigger.tg_relation)->natts != column_count)
        throw core::Error("39P01", "system_telemetry_write() is the trigger of view telemetry.system_telemetry only");

    if (!for_row) {
        TRIGGER_FIRED_BEFORE(trigger.tg_event) ? InsertStream::open() : InsertStream::close();
        PG_RETURN_POINTER(nullptr);
    }
    if (TRIGGER_FIRED_BY_INSERT(trigger.tg_event))
        PG_RETURN_POINTER(insert_row(trigger));
    if (TRIGGER_FIRED_BY_DELETE(trigger.tg_event))
        PG_RETURN_POINTER(delete_row(trigger));
    throw core::Error("0A000", "events cannot be updated: they record what was measured",
                      "INSERT a new event, or DELETE the wrong one.");
}
