// What summary and sketch have in common as SQL types: text and binary forms, equality, merging.

#pragma once

#include "pg/arguments.hpp"
#include "pg/expanded.hpp"

extern "C" {
#include "common/hashfn.h"
#include "libpq/pqformat.h"
}

namespace gravitas::telemetry {

// The encoded bytes of argument `number`, flattened where it is an expanded object.
template <typename Value>
std::span<const std::uint8_t> encoded_argument(FunctionCallInfo fcinfo, int number)
{
    const Datum datum = PG_GETARG_DATUM(number);
    if (const auto *expanded = pg::Expanded<Value>::behind(datum))
        return pg::bytes_of(pg::flat_datum(expanded->value));
    return pg::bytes_of(datum);
}

template <typename Value>
Datum type_in(FunctionCallInfo fcinfo)
{
    pg::ContextResource memory(CurrentMemoryContext);
    return pg::flat_datum(Value::from_text(PG_GETARG_CSTRING(0), memory));
}

template <typename Value>
char *text_of(Datum datum)
{
    return pg::with_value<Value>(datum, [](const Value &value) {
        pg::ContextResource memory(CurrentMemoryContext);
        const auto text = value.to_text(memory);
        return pnstrdup(text.data(), text.size());
    });
}

template <typename Value>
Datum type_out(FunctionCallInfo fcinfo)
{
    PG_RETURN_CSTRING(text_of<Value>(PG_GETARG_DATUM(0)));
}

// The text form is JSON.
template <typename Value>
Datum type_to_jsonb(FunctionCallInfo fcinfo)
{
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(text_of<Value>(PG_GETARG_DATUM(0))));
}

// The binary form is the stored one.
template <typename Value>
Datum type_recv(FunctionCallInfo fcinfo)
{
    StringInfo const buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
    const int size = buffer->len - buffer->cursor;
    const auto *const bytes = reinterpret_cast<const std::uint8_t *>(pq_getmsgbytes(buffer, size));
    pg::ContextResource memory(CurrentMemoryContext);
    return pg::flat_datum(Value::decode({bytes, static_cast<std::size_t>(size)}, memory));
}

template <typename Value>
Datum type_send(FunctionCallInfo fcinfo)
{
    const auto bytes = encoded_argument<Value>(fcinfo, 0);
    StringInfoData buffer;
    pq_begintypsend(&buffer);
    pq_sendbytes(&buffer, reinterpret_cast<const char *>(bytes.data()), static_cast<int>(bytes.size()));
    PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

// The value whose binary form is argument 0, a bytea.
template <typename Value>
Datum type_from_bytea(FunctionCallInfo fcinfo)
{
    const auto bytes = pg::bytes_of(PG_GETARG_DATUM(0));
    pg::ContextResource memory(CurrentMemoryContext);
    return pg::flat_datum(Value::decode(bytes, memory));
}

// Equal values are equal bytes.
template <typename Value>
bool equal(FunctionCallInfo fcinfo)
{
    const auto left = encoded_argument<Value>(fcinfo, 0);
    const auto right = encoded_argument<Value>(fcinfo, 1);
    return left.size() == right.size() && memcmp(left.data(), right.data(), left.size()) == 0;
}

template <typename Value>
Datum type_hash(FunctionCallInfo fcinfo)
{
    const auto bytes = encoded_argument<Value>(fcinfo, 0);
    return hash_any(bytes.data(), static_cast<int>(bytes.size()));
}

// left + right
template <typename Value>
Datum type_merge(FunctionCallInfo fcinfo)
{
    pg::ContextResource memory(CurrentMemoryContext);
    Value sum(memory);
    pg::merge_into(sum, PG_GETARG_DATUM(0));
    pg::merge_into(sum, PG_GETARG_DATUM(1));
    return pg::flat_datum(sum);
}

// The step of merge(Value), and of every aggregate that combines partial states of Value.
template <typename Value>
Datum merge_step(FunctionCallInfo fcinfo)
{
    if (PG_ARGISNULL(1)) {
        if (PG_ARGISNULL(0))
            PG_RETURN_NULL();
        return PG_GETARG_DATUM(0);
    }
    return pg::accumulate<Value>(fcinfo, [&](Value &state) { pg::merge_into(state, PG_GETARG_DATUM(1)); });
}

// The end of every aggregate of Value: its state as it is, so that an accessor reads it without an encoding in between.
template <typename Value>
Datum final_value(FunctionCallInfo fcinfo)
{
    pg::Expanded<Value> *const state = pg::Expanded<Value>::behind(PG_GETARG_DATUM(0));
    return state != nullptr ? state->readable_datum() : PG_GETARG_DATUM(0);
}

} // namespace gravitas::telemetry
