#include "core/mann_whitney.hpp"

#include "functions/figure.hpp"
#include "pg/boundary.hpp"
#include "pg/row.hpp"

using namespace gravitas::telemetry;
using core::Sketch;

// mann_whitney(sketch, sketch) → (superiority, z); strict
TELEMETRY_FUNCTION(mann_whitney)
{
    const std::optional<core::RankComparison> found = pg::with_value<Sketch>(PG_GETARG_DATUM(0), [&](const Sketch &a) {
        return pg::with_value<Sketch>(PG_GETARG_DATUM(1), [&](const Sketch &b) { return core::compare_ranks(a, b); });
    });
    pg::Columns columns;
    columns.add(found ? std::optional(found->superiority) : std::nullopt);
    columns.add(found ? std::optional(found->z) : std::nullopt);
    return columns.row(fcinfo);
}
