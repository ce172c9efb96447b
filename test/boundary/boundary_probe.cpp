// A module of its own that walks every way across the boundary between C++ and Postgres, for test/pgtap/boundary.sql.
// It is compiled with the extension's own boundary and never installed for users.

#include <stdexcept>
#include <string>

#include "pg/boundary.hpp"
#include "pg/spi.hpp"

extern "C" {
PG_MODULE_MAGIC;
}

using namespace gravitas::telemetry;

namespace {

int destroyed = 0;

struct Witness {
    ~Witness() { ++destroyed; }
};

[[noreturn]] void divide_by_zero()
{
    ereport(ERROR,
            (errcode(ERRCODE_DIVISION_BY_ZERO), errmsg("seven by zero"), errdetail("A detail."), errhint("A hint.")));
    pg_unreachable();
}

// Leaves a PG_TRY block by a throw, which nobody should do and entry() must survive.
[[noreturn]] void throw_out_of_try()
{
    PG_TRY();
    {
        throw std::runtime_error("left PG_TRY by throw");
    }
    PG_CATCH();
    {
    }
    PG_END_TRY();
    pg_unreachable();
}

} // namespace

// How many witnesses were destroyed since the last call.
TELEMETRY_FUNCTION(probe_destroyed) { PG_RETURN_INT32(std::exchange(destroyed, 0)); }

TELEMETRY_FUNCTION(probe_throw)
{
    const Witness witness;
    const std::string kind = text_to_cstring(PG_GETARG_TEXT_PP(0));
    if (kind == "runtime_error")
        throw std::runtime_error("a runtime error");
    if (kind == "core::Error")
        throw core::Error("22023", "a mistake", "Mend it.");
    if (kind == "bad_alloc")
        throw std::bad_alloc();
    if (kind == "length_error")
        std::string().resize(std::string().max_size() + 1);
    if (kind == "int")
        throw 42;
    if (kind == "long")
        throw core::Error("22023", std::string(100'000, 'x'), std::string(100'000, 'y'));
    if (kind == "out of PG_TRY")
        throw_out_of_try();
    PG_RETURN_NULL();
}

// An ereport below C++ frames with destructors.
TELEMETRY_FUNCTION(probe_ereport)
{
    const Witness outer;
    const std::string text(1000, 'x');
    [&] {
        const Witness inner;
        pg::call([]() noexcept { divide_by_zero(); });
    }();
    PG_RETURN_NULL();
}

// call() inside call(), each with something to destroy.
TELEMETRY_FUNCTION(probe_nested)
{
    const Witness outer;
    try {
        pg::call([]() noexcept { divide_by_zero(); });
    } catch (const pg::PostgresError &error) {
        const Witness handler;
        if (error.data()->sqlerrcode != ERRCODE_DIVISION_BY_ZERO)
            throw std::logic_error("lost the SQLSTATE");
        throw;
    }
    PG_RETURN_NULL();
}

// A cancel that arrives inside call().
TELEMETRY_FUNCTION(probe_wait)
{
    const Witness witness;
    pg::call([]() noexcept { DirectFunctionCall1(pg_sleep, Float8GetDatum(60)); });
    PG_RETURN_NULL();
}

// call() hands back what its body returns, and the memory context that was current.
TELEMETRY_FUNCTION(probe_value)
{
    const Witness witness;
    MemoryContext const before = CurrentMemoryContext;
    const int value = pg::call([]() noexcept { return 42; });
    try {
        pg::call([]() noexcept {
            MemoryContextSwitchTo(TopMemoryContext);
            divide_by_zero();
        });
    } catch (const pg::PostgresError &error) {
        FreeErrorData(error.data()); // this test goes on: divide_by_zero() leaves nothing that an abort must undo
    }
    if (CurrentMemoryContext != before)
        throw std::logic_error("lost the memory context");
    PG_RETURN_INT32(value);
}

// An error of SQL that runs below C++ frames.
TELEMETRY_FUNCTION(probe_sql)
{
    const Witness witness;
    const char *const sql = text_to_cstring(PG_GETARG_TEXT_PP(0));
    pg::call([sql]() noexcept { pg::with_spi([sql] { pg::run_sql(sql); }); });
    PG_RETURN_NULL();
}
