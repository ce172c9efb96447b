#include "functions/sink.hpp"

#include "core/error.hpp"
#include "functions/event_storage.hpp"
#include "functions/metadata.hpp"
#include "functions/rollup_delta.hpp"
#include "pg/arguments.hpp"
#include "pg/table_appender.hpp"

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

} // namespace

void prepare(Event &event)
{
    check(event);
    complete(event);
}

std::optional<std::int64_t> store(Event &event)
{
    prepare(event);
    store_prepared(&event, 1);
    if (!event.is_stored)
        return std::nullopt;
    append_delta(event);
    return event.id;
}

void store_prepared(Event *events, std::size_t count)
{
    pg::refuse_if_read_only();
    if (stores_plainly()) {
        EventIds ids;
        for (std::size_t i = 0; i < count; ++i)
            events[i].id = ids.next();
        append_events(events, count);
    } else {
        for (std::size_t i = 0; i < count; ++i)
            insert_event(events[i]);
    }
}

} // namespace gravitas::telemetry
