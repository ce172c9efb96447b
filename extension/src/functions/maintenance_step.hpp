// Maintenance goes in small steps: each part of one is a transaction of its own, as the owner of schema telemetry, and
// may fail without stopping what comes after it.

#pragma once

#include "pg/spi.hpp"
#include "pg/subtransaction.hpp"

namespace gravitas::telemetry {

// Runs `body` between SPI_connect and SPI_finish, in a procedure that may commit.
template <typename Body>
void with_committing_spi(Body body)
{
    if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
        elog(ERROR, "could not connect to SPI");
    body();
    if (SPI_finish() != SPI_OK_FINISH)
        elog(ERROR, "could not leave SPI");
}

Oid schema_owner(); // of telemetry

// Raises 25001 where the procedure, called `name` in SQL, may not commit: inside of a transaction block or a function.
void refuse_in_transaction(FunctionCallInfo fcinfo, const char *name);

// False where another session maintains. Otherwise nobody else does until unlock_maintenance(), through commits, or
// until an error ends the transaction.
bool lock_maintenance();
void unlock_maintenance();

// Whether anybody else maintains right now; without a lock, so that asking is in nobody's way.
bool is_maintained_now();

class SchemaOwner {
public:
    SchemaOwner();  // from here on, with settings under which SQL means what it says and waits for no lock for long
    void restore(); // not reached after an error, whose rollback does the same

private:
    Oid user_;
    int security_context_;
    int settings_;
};

template <typename Body>
void as_schema_owner(Body body)
{
    SchemaOwner owner;
    pg::with_spi(body);
    owner.restore();
}

class MaintenanceStep {
public:
    explicit MaintenanceStep(const char *name);

    // Runs a part of the step and commits; nullptr where it succeeded. `activity` is shown in pg_stat_activity. What
    // the body must keep it copies to memory().
    template <typename Body>
    const ErrorData *run(const char *activity, Body body)
    {
        begin(activity);
        const ErrorData *const error = pg::attempt([&] { as_schema_owner(body); }, may_go_on);
        SPI_commit();
        return error;
    }

    // The same; the first error is what the step is logged with. Whether the part succeeded.
    template <typename Body>
    bool must(const char *activity, Body body)
    {
        const ErrorData *const error = run(activity, body);
        if (error != nullptr)
            fail(error);
        return error == nullptr;
    }

    void show(const char *activity) const; // in pg_stat_activity

    void fail(const ErrorData *error) noexcept
    {
        if (error_ == nullptr)
            error_ = error;
    }

    [[nodiscard]] MemoryContext memory() const noexcept { return memory_; }
    [[nodiscard]] bool has_failed() const noexcept { return error_ != nullptr; }
    [[nodiscard]] TimestampTz started_at() const noexcept { return started_at_; }

    // Logs the step where something came of it (`result` is not nullptr), it failed, or it succeeds after a failure.
    void finish(const char *result);

private:
    static bool may_go_on(const ErrorData &error) noexcept;
    void begin(const char *activity) const
    {
        CHECK_FOR_INTERRUPTS();
        show(activity);
    }

    const char *name_;
    TimestampTz started_at_;
    MemoryContext memory_; // the procedure's, which outlives commits
    const ErrorData *error_ = nullptr;
};

} // namespace gravitas::telemetry
