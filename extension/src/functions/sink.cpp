#include "functions/sink.hpp"

#include "core/error.hpp"
#include "functions/metadata.hpp"
#include "functions/partitions.hpp"
#include "functions/rollup.hpp"
#include "pg/arguments.hpp"
#include "pg/spi.hpp"

namespace gravitas::telemetry {

namespace {

// Far below what a JSON document can hold, so that whatever is stored can be read as one.
constexpr std::size_t max_event_bytes = 64 << 20;

std::size_t size_of(const Event &event) noexcept
{
    const auto size = [](const void *value) { return value == nullptr ? 0 : VARSIZE_ANY_EXHDR(value); };
    return size(event.event_type) + size(event.component) + size(event.status) + size(event.metadata);
}

void check(const Event &event)
{
    pg::refuse_empty(event.event_type, "event_type");
    if (event.component != nullptr)
        pg::refuse_empty(event.component, "component");
    if (TIMESTAMP_NOT_FINITE(event.timestamp))
        throw core::Error(core::sqlstate::invalid_parameter_value, "event time must be finite",
                          "Give the time at which the event ended, or NULL for now.");
    if (event.metadata != nullptr && !pg::is_object(event.metadata)) {
        const char *const type = pg::type_name(event.metadata);
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          std::string("metadata must be a JSON object, not \"") + type + "\"",
                          "Wrap the value, for example with jsonb_build_object('value', ...).");
    }
    if (const std::size_t size = size_of(event); size > max_event_bytes)
        throw core::Error(core::sqlstate::program_limit_exceeded,
                          "an event of \"" + std::to_string(size) + "\" bytes is too large, the limit is " +
                              std::to_string(max_event_bytes),
                          "Keep large texts in a table of your own, and its key in the metadata.");
}

void complete(Event &event)
{
    const core::EventKind kind = core::kind_of(pg::view_of(event.event_type));
    core::check(kind, event.figures);
    if (event.metadata != nullptr)
        fill_from_metadata(kind, event.metadata, event.figures);
    if (event.metadata != nullptr && event.component == nullptr)
        event.component = component_from_metadata(kind, event.metadata);
    core::complete(kind, event.figures);
    core::check(kind, event.figures); // a derived figure may be absurd where each given one was possible
    if (event.metadata != nullptr)
        event.metadata = without_document(kind, event.component, event.figures, event.metadata);
}

std::optional<std::int64_t> insert(const Event &event)
{
    static pg::PreparedStatement<10> statement{
        "INSERT INTO telemetry.event (\"timestamp\", event_type, component, value, duration_ms, first_token_ms,"
        " prompt_tokens, tokens_generated, status, metadata)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
        {TIMESTAMPTZOID, TEXTOID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID, INT4OID, INT4OID, TEXTOID, JSONBOID}};

    const core::Figures &figures = event.figures;
    std::optional<std::int64_t> id;
    pg::with_spi([&] {
        statement.execute(
            {TimestampTzGetDatum(event.timestamp), PointerGetDatum(event.event_type), PointerGetDatum(event.component),
             Float8GetDatum(figures.value.value_or(0)), Float8GetDatum(figures.duration_ms.value_or(0)),
             Float8GetDatum(figures.first_token_ms.value_or(0)), Int32GetDatum(figures.prompt_tokens.value_or(0)),
             Int32GetDatum(figures.tokens_generated.value_or(0)), PointerGetDatum(event.status),
             PointerGetDatum(event.metadata)},
            {false, false, event.component == nullptr, !figures.value, !figures.duration_ms, !figures.first_token_ms,
             !figures.prompt_tokens, !figures.tokens_generated, event.status == nullptr, event.metadata == nullptr},
            SPI_OK_INSERT_RETURNING);
        if (SPI_processed > 0) {
            id = DatumGetInt64(pg::only_value(1));
            append_delta(event);
        }
    });
    return id;
}

} // namespace

std::optional<std::int64_t> store(Event &event)
{
    check(event);
    complete(event);
    settle_partition(event.timestamp);
    return insert(event);
}

} // namespace gravitas::telemetry
