// The only file where C++ exceptions and Postgres' longjmp meet.
//
//   entry()  Postgres → C++: no exception leaves a function that Postgres called; it becomes an ereport.
//   call()   C++ → Postgres: an ereport below it becomes a C++ exception, so that destructors run.
//
// Code between the two follows one rule: while an object with a destructor is alive, a Postgres function that may
// ereport is called through call(). Where only trivially destructible objects are alive, it may be called directly.

#pragma once

#include "core/error.hpp"
#include "pg/prelude.hpp"

namespace gravitas::telemetry::pg {

// A Postgres error on its way through C++ frames. It carries everything: SQLSTATE, detail, hint, context, location.
// To go on after one needs a subtransaction; catching it and continuing does not.
class PostgresError : public std::exception {
public:
    explicit PostgresError(ErrorData *data) noexcept : data_(data) {}
    const char *what() const noexcept override { return data_->message != nullptr ? data_->message : "unknown error"; }
    ErrorData *data() const noexcept { return data_; }

private:
    ErrorData *data_; // in the memory context that was current at call()
};

// Runs `body`, which may ereport but must not throw, and returns what it returns. Throws PostgresError, after it has run
// `at_error`: what must be done even where there is no memory for a copy of the error.
template <typename Body, typename AtError>
auto call(Body &&body, AtError at_error) -> std::invoke_result_t<Body>
{
    using Result = std::invoke_result_t<Body>;
    static_assert(std::is_nothrow_invocable_v<Body>, "the body may ereport but must not throw: mark it noexcept");
    static_assert(std::is_void_v<Result> || std::is_trivially_copyable_v<Result>, "a longjmp may skip the result");

    struct Nothing {};
    [[maybe_unused]] std::conditional_t<std::is_void_v<Result>, Nothing, std::remove_cv_t<Result>> result;
    MemoryContext const caller = CurrentMemoryContext;
    ErrorData *volatile failed = nullptr;

    PG_TRY();
    {
        if constexpr (std::is_void_v<Result>)
            body();
        else
            result = body();
    }
    PG_CATCH();
    {
        at_error();
        MemoryContextSwitchTo(caller);
        failed = CopyErrorData();
        FlushErrorState();
    }
    PG_END_TRY();

    if (failed != nullptr)
        throw PostgresError(failed); // after PG_END_TRY, so that Postgres' handler stack is whole again
    if constexpr (!std::is_void_v<Result>)
        return result;
}

template <typename Body>
auto call(Body &&body) -> std::invoke_result_t<Body>
{
    return call(std::forward<Body>(body), [] {});
}

namespace detail {

// What is left of a C++ exception once it is destroyed: plain bytes on the stack.
struct Failure {
    // Every call makes one, so it is not filled with zeros.
    Failure() noexcept { message[0] = hint[0] = '\0'; }

    ErrorData *postgres = nullptr; // set: a Postgres error, to be raised again as it was
    int code = ERRCODE_INTERNAL_ERROR;
    char message[512];
    char hint[256];
};

// Copies text into a fixed buffer, cut between two characters of the database's encoding where it is too long.
template <std::size_t size>
void copy_text(char (&to)[size], std::string_view text) noexcept
{
    const int length = pg_mbcliplen(text.data(), static_cast<int>(text.size()), size - 1);
    memcpy(to, text.data(), length);
    to[length] = '\0';
}

inline int code_of(const char *state) noexcept
{
    return MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4]);
}

// Raises what `failure` describes.
[[noreturn]] void raise(const Failure &failure);

} // namespace detail

// Runs the body of a function that Postgres called. Whatever it throws is raised as a Postgres error after the
// exception is gone; nothing is allocated and no longjmp starts inside a handler.
template <typename Body>
Datum entry(Body &&body)
{
    sigjmp_buf *const handler = PG_exception_stack;
    ErrorContextCallback *const context = error_context_stack;
    detail::Failure failure;
    try {
        return body();
    } catch (const PostgresError &error) {
        failure.postgres = error.data();
    } catch (const core::Error &error) {
        failure.code = detail::code_of(error.sqlstate());
        detail::copy_text(failure.message, error.what());
        detail::copy_text(failure.hint, error.hint());
    } catch (const std::bad_alloc &) {
        failure.code = ERRCODE_OUT_OF_MEMORY;
        detail::copy_text(failure.message, "out of memory");
    } catch (const std::exception &error) {
        detail::copy_text(failure.message, error.what());
    } catch (...) {
        detail::copy_text(failure.message, "unrecognized C++ exception");
    }
    // A throw that left a PG_TRY block did not unwind Postgres' own stacks.
    PG_exception_stack = handler;
    error_context_stack = context;
    detail::raise(failure);
}

} // namespace gravitas::telemetry::pg

// Declares and opens the C++ body of the SQL-callable function whose symbol is telemetry_NAME. There is no other way
// to declare one, so there is no door without a guard. Use at global scope; the body sees `fcinfo`.
#define TELEMETRY_FUNCTION(name)                                                                                       \
    static Datum name##_body(FunctionCallInfo fcinfo);                                                                 \
    extern "C" {                                                                                                       \
    PG_FUNCTION_INFO_V1(telemetry_##name);                                                                             \
    Datum telemetry_##name(PG_FUNCTION_ARGS)                                                                           \
    {                                                                                                                  \
        return gravitas::telemetry::pg::entry([fcinfo] { return name##_body(fcinfo); });                               \
    }                                                                                                                  \
    }                                                                                                                  \
    static Datum name##_body([[maybe_unused]] FunctionCallInfo fcinfo)
