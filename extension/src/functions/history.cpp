// log_history(): one row of history a call.

#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/spi.hpp"

using namespace gravitas::telemetry;

// log_history(role, content, ghost_id, shell_id) → id
TELEMETRY_FUNCTION(log_history)
{
    static pg::PreparedStatement<4> statement{
        "INSERT INTO telemetry.history (role, content, ghost_id, shell_id) VALUES ($1, $2, $3, $4) RETURNING id",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID}};

    text *const role = pg::required_name(fcinfo, 0, "role");
    pg::require(fcinfo, 1, "content");
    text *const content = PG_GETARG_TEXT_PP(1);
    text *const ghost_id = pg::optional_text(fcinfo, 2);
    text *const shell_id = pg::optional_text(fcinfo, 3);

    std::int64_t id = 0;
    pg::with_spi([&] {
        statement.execute(
            {PointerGetDatum(role), PointerGetDatum(content), PointerGetDatum(ghost_id), PointerGetDatum(shell_id)},
            {false, false, ghost_id == nullptr, shell_id == nullptr}, SPI_OK_INSERT_RETURNING);
        id = DatumGetInt64(pg::only_value(1));
    });
    PG_RETURN_INT64(id);
}
