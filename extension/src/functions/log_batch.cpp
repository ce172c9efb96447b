// log_batch(): events as JSON, for clients in every language.

#include <cmath>
#include <limits>

#include "functions/batch_store.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/jsonb.hpp"
#include "pg/row.hpp"

using namespace gravitas::telemetry;

namespace {

constexpr char field_names[] = "timestamp, event_type, component, value, duration_ms, first_token_ms, prompt_tokens, "
                               "tokens_generated, status, metadata";

const char *type_of(const JsonbValue &value)
{
    return value.type == jbvBinary ? (JsonContainerIsArray(value.val.binary.data) ? "array" : "object")
                                   : JsonbTypeName(const_cast<JsonbValue *>(&value));
}

[[noreturn]] void refuse(std::string_view field, const char *expected, const JsonbValue &value)
{
    throw core::Error(core::sqlstate::invalid_parameter_value,
                      std::string(field) + " must be " + expected + ", not \"" + type_of(value) + "\"");
}

text *text_in(const pg::JsonField &field)
{
    if (field.value.type == jbvNull)
        return nullptr;
    if (field.value.type != jbvString)
        refuse(field.key, "a string", field.value);
    return cstring_to_text_with_len(field.value.val.string.val, field.value.val.string.len);
}

std::optional<double> number_in(const pg::JsonField &field)
{
    if (field.value.type == jbvNull)
        return std::nullopt;
    if (field.value.type != jbvNumeric)
        refuse(field.key, "a number", field.value);
    const std::optional<double> number = pg::number_of(&field.value);
    if (!number)
        throw core::Error(core::sqlstate::numeric_value_out_of_range,
                          std::string(field.key) + " is out of the range of double precision");
    return number;
}

std::optional<std::int32_t> count_in(const pg::JsonField &field)
{
    const std::optional<double> number = number_in(field);
    if (!number)
        return std::nullopt;
    if (*number != std::floor(*number) || *number > std::numeric_limits<std::int32_t>::max() ||
        *number < std::numeric_limits<std::int32_t>::min())
        throw core::Error(core::sqlstate::numeric_value_out_of_range,
                          std::string(field.key) + " must be a whole number below 2^31");
    return static_cast<std::int32_t>(*number);
}

TimestampTz timestamp_in(const pg::JsonField &field)
{
    text *const when = text_in(field);
    if (when == nullptr)
        throw core::Error(core::sqlstate::null_value_not_allowed, "timestamp must not be null",
                          "Leave it out for the time of the call.");
    return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(text_to_cstring(when)),
                                                   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

Jsonb *json_in(const pg::JsonField &field)
{
    if (field.value.type == jbvNull)
        return nullptr;
    JsonbValue value = field.value;
    return JsonbValueToJsonb(&value);
}

void take_field(const pg::JsonField &field, Event &event)
{
    if (field.key == "timestamp")
        event.timestamp = timestamp_in(field);
    else if (field.key == "event_type")
        event.event_type = text_in(field);
    else if (field.key == "component")
        event.component = text_in(field);
    else if (field.key == "value")
        event.figures.value = number_in(field);
    else if (field.key == "duration_ms")
        event.figures.duration_ms = number_in(field);
    else if (field.key == "first_token_ms")
        event.figures.first_token_ms = number_in(field);
    else if (field.key == "prompt_tokens")
        event.figures.prompt_tokens = count_in(field);
    else if (field.key == "tokens_generated")
        event.figures.tokens_generated = count_in(field);
    else if (field.key == "status")
        event.status = text_in(field);
    else if (field.key == "metadata")
        event.metadata = json_in(field);
    else
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          "unknown field \"" + std::string(field.key) + "\" (known: " + field_names + ")");
}

class JsonEvents final : public BatchSource {
public:
    explicit JsonEvents(Jsonb *array)
        : count_(JB_ROOT_COUNT(array)), elements_(static_cast<JsonbValue *>(palloc(sizeof(JsonbValue) * (count_ + 1))))
    {
        JsonbIterator *iterator = JsonbIteratorInit(&array->root);
        JsonbValue element;
        std::size_t read = 0;
        for (JsonbIteratorToken token; (token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE;)
            if (token == WJB_ELEM)
                elements_[read++] = element;
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }

    void make(std::size_t index, Event &event) override
    {
        JsonbValue element = elements_[index];
        if (element.type != jbvBinary || !JsonContainerIsObject(element.val.binary.data))
            throw core::Error(core::sqlstate::invalid_parameter_value,
                              std::string("an event must be a JSON object, not \"") + type_of(element) + "\"");
        event.timestamp = now_;
        event.status = cstring_to_text("OK");
        pg::for_each_field(JsonbValueToJsonb(&element), [&](const pg::JsonField &field) { take_field(field, event); });
        if (event.event_type == nullptr)
            throw core::Error(core::sqlstate::null_value_not_allowed, "event_type must not be null");
    }

private:
    std::size_t count_;
    JsonbValue *elements_;
    TimestampTz now_ = GetCurrentTimestamp();
};

// Whether events that cannot be stored are to be skipped.
bool skips_errors(FunctionCallInfo fcinfo)
{
    pg::require(fcinfo, 1, "on_error");
    const std::string_view on_error = pg::view_of(PG_GETARG_TEXT_PP(1));
    if (on_error != "abort" && on_error != "skip")
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          "on_error must be \"abort\" or \"skip\", not \"" + std::string(on_error) + "\"",
                          "Try on_error => 'skip'.");
    return on_error == "skip";
}

} // namespace

// log_batch(events, on_error) → (stored, refused)
TELEMETRY_FUNCTION(log_batch)
{
    pg::require(fcinfo, 0, "events");
    const bool skip = skips_errors(fcinfo);
    Jsonb *const array = PG_GETARG_JSONB_P(0);
    if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array))
        throw core::Error(core::sqlstate::invalid_parameter_value,
                          std::string("events must be a JSON array, not \"") + pg::type_name(array) + "\"",
                          "Put a single event into an array of its own: [{\"event_type\": \"NOTE\"}].");
    JsonEvents events(array);
    const BatchResult result = store_batch(events, events.count());
    if (const Refusal *const first = result.refused; first != nullptr && !skip)
        ereport(ERROR, (errcode(pg::detail::code_of(first->sqlstate)),
                        errmsg("event %zu cannot be stored: %s", first->index, first->reason),
                        errdetail("Events are counted from 0."),
                        errhint("Nothing of the batch is stored; on_error => 'skip' stores the others.")));
    return pg::row_of(fcinfo, {Int32GetDatum(result.stored), JsonbPGetDatum(refusals_as_json(result.refused))});
}
