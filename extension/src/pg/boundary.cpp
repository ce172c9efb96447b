#include "pg/boundary.hpp"

namespace gravitas::telemetry::pg::detail {

void raise(const Failure &failure)
{
    if (failure.postgres != nullptr)
        ReThrowError(failure.postgres);
    ereport(ERROR, (errcode(failure.code), errmsg("%s", failure.message),
                    failure.hint[0] != '\0' ? errhint("%s", failure.hint) : 0));
    pg_unreachable();
}

} // namespace gravitas::telemetry::pg::detail
