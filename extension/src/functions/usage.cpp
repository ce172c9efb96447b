// log_usage(): one row of usage_stats a call.

#include "core/event.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/spi.hpp"

using namespace gravitas::telemetry;

// log_usage(model, layer, prompt_tokens, completion_tokens, duration_ms) → id
TELEMETRY_FUNCTION(log_usage)
{
    static pg::PreparedStatement<5> statement{
        "INSERT INTO telemetry.usage_stats (model, layer, prompt_tokens, completion_tokens, duration_ms)"
        " VALUES ($1, $2, $3, $4, $5) RETURNING id",
        {TEXTOID, TEXTOID, INT4OID, INT4OID, FLOAT8OID}};

    text *const model = pg::required_name(fcinfo, 0, "model");
    text *const layer = pg::optional_text(fcinfo, 1);
    const std::optional<std::int32_t> prompt_tokens = pg::optional_int4(fcinfo, 2);
    const std::optional<std::int32_t> completion_tokens = pg::optional_int4(fcinfo, 3);
    const std::optional<double> duration_ms = pg::optional_float8(fcinfo, 4);
    core::check_count("prompt_tokens", prompt_tokens);
    core::check_count("completion_tokens", completion_tokens);
    core::check_duration_ms("duration_ms", duration_ms);

    std::int64_t id = 0;
    pg::with_spi([&] {
        statement.execute({PointerGetDatum(model), PointerGetDatum(layer), Int32GetDatum(prompt_tokens.value_or(0)),
                           Int32GetDatum(completion_tokens.value_or(0)), Float8GetDatum(duration_ms.value_or(0))},
                          {false, layer == nullptr, !prompt_tokens, !completion_tokens, !duration_ms},
                          SPI_OK_INSERT_RETURNING);
        id = DatumGetInt64(pg::only_value(1));
    });
    PG_RETURN_INT64(id);
}
