// SQL values that a core class stands behind (telemetry.summary, telemetry.sketch): stored as a varlena of its encoded
// bytes, and held as an expanded object while an aggregate adds to it.
//
// Value is core::Summary or core::Sketch: no destructor, memory from a resource, encode/decode, merge/merge_encoded.

#pragma once

#include <new>
#include <span>

#include "pg/memory.hpp"
#include "pg/prelude.hpp"

extern "C" {
#include "utils/expandeddatum.h"
}

namespace gravitas::telemetry::pg {

// A new flat datum of `value`, in the current context. In one pass, mostly: few are longer than the room on the stack.
template <typename Value>
Datum flat_datum(const Value &value)
{
    std::uint8_t room[4096];
    const std::size_t size = value.encode(room);
    if (size > MaxAllocSize - VARHDRSZ)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("value would be larger than 1 GB")));
    auto *const flat = static_cast<struct varlena *>(palloc(VARHDRSZ + size));
    SET_VARSIZE(flat, VARHDRSZ + size);
    if (size <= sizeof room)
        memcpy(VARDATA(flat), room, size);
    else
        (void)value.encode({reinterpret_cast<std::uint8_t *>(VARDATA(flat)), size});
    return PointerGetDatum(flat);
}

// The object lives in a child of the aggregate's context: that is how the executor knows that it may keep a state as it
// is between rows. All states of one aggregation share that child, because the executor adds up the memory of every
// child whenever a hash aggregation meets a new group.
template <typename Value>
struct Expanded : ExpandedObjectHeader {
    static_assert(std::is_trivially_destructible_v<Value>, "it goes with its memory context");

    ContextResource memory;
    Value value;

    static Expanded &make(MemoryContext aggregate)
    {
        MemoryContext const context = shared_child(aggregate);
        return *new (MemoryContextAlloc(context, sizeof(Expanded))) Expanded(context);
    }

    // The object behind a datum; nullptr where the datum is flat.
    static Expanded *behind(Datum datum)
    {
        if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
            return nullptr;
        ExpandedObjectHeader *const header = DatumGetEOHP(datum);
        if (header->eoh_methods != &methods)
            elog(ERROR, "expanded object of another type");
        return static_cast<Expanded *>(header);
    }

    static bool is_writable(Datum datum) noexcept { return VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)); }

    Datum writable_datum() noexcept
    {
        drop_flat();
        return EOHPGetRWDatum(this);
    }

    // A datum to read it through, in the current context. (A copy of the one that is part of the object: Postgres 15
    // flattens the result of an aggregate that does not lie in the context of the row.)
    Datum readable_datum()
    {
        void *const pointer = palloc(EXPANDED_POINTER_SIZE);
        return PointerGetDatum(memcpy(pointer, DatumGetPointer(EOHPGetRODatum(this)), EXPANDED_POINTER_SIZE));
    }

private:
    static MemoryContext shared_child(MemoryContext aggregate)
    {
        for (MemoryContext child = aggregate->firstchild; child != nullptr; child = child->nextchild)
            if (child->name == context_name)
                return child;
        return AllocSetContextCreateInternal(aggregate, context_name, ALLOCSET_DEFAULT_SIZES);
    }

    explicit Expanded(MemoryContext context) noexcept : memory(context), value(memory)
    {
        EOH_init_header(this, &methods, context);
    }

    void drop_flat() noexcept
    {
        if (flat_ != nullptr)
            pfree(flat_);
        flat_ = nullptr;
    }

    // Who forms a tuple asks for the size twice before it wants the bytes.
    static Size flat_size(ExpandedObjectHeader *header)
    {
        auto &object = *static_cast<Expanded *>(header);
        if (object.flat_ == nullptr) {
            MemoryContext const caller = MemoryContextSwitchTo(header->eoh_context);
            object.flat_ = reinterpret_cast<struct varlena *>(DatumGetPointer(flat_datum(object.value)));
            MemoryContextSwitchTo(caller);
        }
        return VARSIZE(object.flat_);
    }

    static void flatten_into(ExpandedObjectHeader *header, void *result, Size size)
    {
        (void)flat_size(header); // made already, unless somebody kept the size from before
        auto &object = *static_cast<Expanded *>(header);
        memcpy(result, object.flat_, size);
        object.drop_flat();
    }

    struct varlena *flat_ = nullptr; // between the two

    static constexpr char context_name[] = "telemetry aggregate states";
    static constexpr ExpandedObjectMethods methods = {flat_size, flatten_into};
};

// The encoded bytes of a flat datum; detoasts it where needed.
inline std::span<const std::uint8_t> bytes_of(Datum datum)
{
    struct varlena *const flat = PG_DETOAST_DATUM_PACKED(datum);
    return {reinterpret_cast<const std::uint8_t *>(VARDATA_ANY(flat)), VARSIZE_ANY_EXHDR(flat)};
}

// Calls read(std::span) with the encoded bytes of a flat datum, which are gone afterwards where they had to be
// detoasted.
template <typename Read>
void with_bytes(Datum datum, Read read)
{
    struct varlena *const flat = PG_DETOAST_DATUM_PACKED(datum);
    read(std::span(reinterpret_cast<const std::uint8_t *>(VARDATA_ANY(flat)), VARSIZE_ANY_EXHDR(flat)));
    if (PointerGetDatum(flat) != datum)
        pfree(flat);
}

// Calls read(const Value &) with what a datum holds.
template <typename Value, typename Read>
auto with_value(Datum datum, Read read)
{
    if (const Expanded<Value> *const expanded = Expanded<Value>::behind(datum))
        return read(expanded->value);
    ContextResource memory(CurrentMemoryContext);
    Value value(memory);
    value.merge_encoded(bytes_of(datum)); // the quick way: what is stored was checked when it came in
    return read(std::as_const(value));
}

// Merges what a datum holds into `value`.
template <typename Value>
void merge_into(Value &value, Datum datum)
{
    if (const Expanded<Value> *const expanded = Expanded<Value>::behind(datum))
        value.merge(expanded->value);
    else
        value.merge_encoded(bytes_of(datum));
}

// One step of an aggregate whose state (argument 0) is a Value: `step` changes the state, which is empty at first.
template <typename Value, typename Step>
Datum accumulate(FunctionCallInfo fcinfo, Step step)
{
    MemoryContext aggregate;
    if (!AggCheckCallContext(fcinfo, &aggregate))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("an aggregate's step was called outside of the aggregate")));
    if (!PG_ARGISNULL(0) && Expanded<Value>::is_writable(PG_GETARG_DATUM(0))) {
        Expanded<Value> &state = *Expanded<Value>::behind(PG_GETARG_DATUM(0));
        step(state.value);
        return state.writable_datum();
    }
    Expanded<Value> &state = Expanded<Value>::make(aggregate);
    if (!PG_ARGISNULL(0))
        merge_into(state.value, PG_GETARG_DATUM(0)); // a partial result of another process
    step(state.value);
    return state.writable_datum();
}

} // namespace gravitas::telemetry::pg
