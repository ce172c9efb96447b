#include "functions/insert_stream.hpp"

namespace gravitas::telemetry {

namespace {

InsertStream *innermost = nullptr;

std::size_t size_of(const void *value) noexcept { return value == nullptr ? 0 : MAXALIGN(VARSIZE_ANY(value)); }

std::size_t size_of(const Event &event) noexcept
{
    return size_of(event.event_type) + size_of(event.component) + size_of(event.status) + size_of(event.metadata);
}

// Lets `value` point at a copy of what it points at, and moves `room` behind that.
template <typename Varlena>
void move_to(char *&room, Varlena *&value) noexcept
{
    if (value == nullptr)
        return;
    const std::size_t size = size_of(value);
    value = static_cast<Varlena *>(memcpy(room, value, VARSIZE_ANY(value)));
    room += size;
}

} // namespace

InsertStream::InsertStream(MemoryContext context)
    : context_(context),
      rows_context_(AllocSetContextCreateInternal(context, "telemetry inserted rows", ALLOCSET_DEFAULT_SIZES)),
      outer_(innermost), transaction_level_(GetCurrentTransactionNestLevel()), plain_(stores_plainly()), ids_(),
      deltas_(context)
{
}

InsertStream *InsertStream::current() noexcept { return innermost; }

void InsertStream::open()
{
    remember_transaction_ends();
    MemoryContext const context =
        AllocSetContextCreateInternal(CurTransactionContext, "telemetry insert", ALLOCSET_SMALL_SIZES);
    innermost = new (MemoryContextAlloc(context, sizeof(InsertStream))) InsertStream(context);
}

void InsertStream::close()
{
    InsertStream *const stream = innermost;
    if (stream == nullptr)
        return;
    stream->store_kept();
    stream->deltas_.flush();
    innermost = stream->outer_;
    MemoryContextDelete(stream->context_);
}

std::optional<std::int64_t> InsertStream::add(Event &event)
{
    if (plain_) {
        event.id = ids_.next();
        keep(event);
    } else if (insert_event(event)) {
        deltas_.add(&event, 1);
    } else {
        return std::nullopt;
    }
    return event.id;
}

void InsertStream::keep(const Event &event)
{
    if (kept_ == room_) {
        const std::size_t room = room_ == 0 ? 1 : std::min(8 * room_, most_rows);
        rows_ = static_cast<Event *>(rows_ == nullptr ? MemoryContextAlloc(context_, room * sizeof(Event))
                                                      : repalloc(rows_, room * sizeof(Event)));
        room_ = room;
    }
    const std::size_t size = size_of(event);
    Event &kept = rows_[kept_] = event;
    char *room = static_cast<char *>(MemoryContextAlloc(rows_context_, size));
    move_to(room, kept.event_type);
    move_to(room, kept.component);
    move_to(room, kept.status);
    move_to(room, kept.metadata);
    bytes_ += size;
    if (++kept_ == most_rows || bytes_ >= most_bytes)
        store_kept();
}

void InsertStream::store_kept()
{
    if (kept_ == 0)
        return;
    append_events(rows_, kept_);
    deltas_.add(rows_, kept_);
    kept_ = bytes_ = 0;
    MemoryContextReset(rows_context_);
}

// ---- Where statements end without their trigger ----

void InsertStream::remember_transaction_ends()
{
    static bool remembered = false;
    if (remembered)
        return;
    RegisterXactCallback(end_transaction, nullptr);
    RegisterSubXactCallback(end_subtransaction, nullptr);
    remembered = true;
}

// The streams of a failed subtransaction are gone with its memory.
void InsertStream::end_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *)
{
    if (event == SUBXACT_EVENT_ABORT_SUB)
        while (innermost != nullptr && innermost->transaction_level_ >= GetCurrentTransactionNestLevel())
            innermost = innermost->outer_;
}

void InsertStream::end_transaction(XactEvent event, void *)
{
    const bool is_left = innermost != nullptr;
    innermost = nullptr;
    if (is_left && (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("rows inserted into telemetry.system_telemetry were not stored"),
                        errhint("A trigger of the view is gone: dump the data, and drop and create the extension.")));
}

} // namespace gravitas::telemetry
