#include "functions/metadata.hpp"

#include <cmath>
#include <limits>

#include "pg/arguments.hpp"
#include "pg/boundary.hpp"

namespace gravitas::telemetry {

namespace {

// The fields of section "documents" in the README, in their order.
struct Document {
    int size = 0;
    pg::JsonField fields[6];

    void add(std::string_view key, const JsonbValue &value) { fields[size++] = {key, value}; }

    const pg::JsonField *find(std::string_view key) const noexcept
    {
        for (int i = 0; i < size; ++i)
            if (fields[i].key == key)
                return &fields[i];
        return nullptr;
    }
};

Document document_of(core::EventKind kind, const text *component, const core::Figures &figures)
{
    Document document;
    if (kind == core::EventKind::other)
        return document;
    if (component != nullptr)
        document.add("model", pg::json_string(pg::view_of(component)));
    if (kind == core::EventKind::load) {
        document.add("load_time_ms", pg::json_number(figures.duration_ms));
        return document;
    }
    const std::optional<double> generated = figures.tokens_generated;
    const std::optional<double> prompt = figures.prompt_tokens;
    document.add("inference_time_ms", pg::json_number(figures.duration_ms));
    document.add("tokens_generated", pg::json_number(generated));
    document.add("prompt_tokens", pg::json_number(prompt));
    document.add("total_tokens",
                 pg::json_number(generated || prompt ? std::optional(generated.value_or(0) + prompt.value_or(0))
                                                     : std::nullopt));
    document.add("latency_per_token_ms", pg::json_number(figures.value));
    return document;
}

void fill_duration(Jsonb *metadata, std::string_view key, std::optional<double> &milliseconds)
{
    if (milliseconds)
        return;
    const std::optional<double> number = pg::number_of(pg::find(metadata, key));
    if (number && core::is_possible_duration_ms(*number))
        milliseconds = number;
}

void fill_count(Jsonb *metadata, std::string_view key, std::optional<std::int32_t> &count)
{
    if (count)
        return;
    const std::optional<double> number = pg::number_of(pg::find(metadata, key));
    if (number && *number >= 0 && *number <= std::numeric_limits<std::int32_t>::max() && *number == std::floor(*number))
        count = static_cast<std::int32_t>(*number);
}

} // namespace

void fill_from_metadata(core::EventKind kind, Jsonb *metadata, core::Figures &figures)
{
    if (kind == core::EventKind::load && !figures.value)
        fill_duration(metadata, "load_time_ms", figures.duration_ms);
    if (kind == core::EventKind::thought) {
        fill_duration(metadata, "inference_time_ms", figures.duration_ms);
        fill_duration(metadata, "first_token_ms", figures.first_token_ms);
        fill_count(metadata, "tokens_generated", figures.tokens_generated);
        fill_count(metadata, "prompt_tokens", figures.prompt_tokens);
        if (!figures.duration_ms)
            fill_duration(metadata, "latency_per_token_ms", figures.value);
    }
}

text *component_from_metadata(core::EventKind kind, Jsonb *metadata)
{
    if (kind == core::EventKind::other)
        return nullptr;
    const JsonbValue *const model = pg::find(metadata, "model");
    if (model == nullptr || model->type != jbvString || model->val.string.len == 0)
        return nullptr;
    return cstring_to_text_with_len(model->val.string.val, model->val.string.len);
}

Jsonb *without_document(core::EventKind kind, const text *component, const core::Figures &figures, Jsonb *metadata)
{
    const Document document = document_of(kind, component, figures);
    if (document.size == 0)
        return metadata;
    pg::ObjectBuilder kept;
    int kept_fields = 0;
    pg::for_each_field(metadata, [&](const pg::JsonField &field) {
        const pg::JsonField *const known = document.find(field.key);
        if (known == nullptr || !pg::equal_scalars(known->value, field.value)) {
            kept.add(field);
            ++kept_fields;
        }
    });
    return kept_fields == 0 ? nullptr : kept.finish();
}

Jsonb *with_document(core::EventKind kind, const text *component, const core::Figures &figures, Jsonb *metadata)
{
    const Document document = document_of(kind, component, figures);
    if (document.size == 0 || (metadata != nullptr && !pg::is_object(metadata)))
        return metadata; // nothing to add, or nothing to add it to
    pg::ObjectBuilder whole;
    for (int i = 0; i < document.size; ++i)
        whole.add(document.fields[i]);
    if (metadata != nullptr)
        pg::for_each_field(metadata, [&](const pg::JsonField &field) { whole.add(field); });
    return whole.finish();
}

} // namespace gravitas::telemetry

using namespace gravitas::telemetry;

// event_metadata(event_type, component, value, duration_ms, prompt_tokens, tokens_generated, metadata) → jsonb
TELEMETRY_FUNCTION(event_metadata)
{
    pg::require(fcinfo, 0, "event_type");
    const core::EventKind kind = core::kind_of(pg::view_of(PG_GETARG_TEXT_PP(0)));
    core::Figures figures;
    figures.value = pg::optional_float8(fcinfo, 2);
    figures.duration_ms = pg::optional_float8(fcinfo, 3);
    figures.prompt_tokens = pg::optional_int4(fcinfo, 4);
    figures.tokens_generated = pg::optional_int4(fcinfo, 5);
    Jsonb *const metadata = PG_ARGISNULL(6) ? nullptr : PG_GETARG_JSONB_P(6);

    Jsonb *const whole = with_document(kind, pg::optional_text(fcinfo, 1), figures, metadata);
    if (whole == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_JSONB_P(whole);
}
