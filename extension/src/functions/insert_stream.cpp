#include "functions/insert_stream.hpp"

#include "functions/event_storage.hpp"

namespace gravitas::telemetry {

namespace {

InsertStream *innermost = nullptr;

template <typename Varlena>
Varlena *copy_of(Varlena *value)
{
    return value == nullptr ? nullptr
                            : static_cast<Varlena *>(memcpy(palloc(VARSIZE_ANY(value)), value, VARSIZE_ANY(value)));
}

std::size_t size_of(const void *value) noexcept { return value == nullptr ? 0 : VARSIZE_ANY(value); }

} // namespace

InsertStream::InsertStream(MemoryContext context)
    : context_(context),
      rows_context_(AllocSetContextCreateInternal(context, "telemetry inserted rows", ALLOCSET_DEFAULT_SIZES)),
      outer_(innermost), transaction_level_(GetCurrentTransactionNestLevel()), plain_(stores_plainly()),
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

std::optional<std::int64_t> InsertStream::add(const Event &event)
{
    if (plain_) {
        Event numbered = event;
        numbered.id = next_event_id();
        keep(numbered);
        return numbered.id;
    }
    const std::optional<std::int64_t> id = insert_event(event);
    if (id)
        deltas_.add(event);
    return id;
}

void InsertStream::keep(const Event &event)
{
    if (kept_ == room_) {
        const std::size_t room = room_ == 0 ? 1 : std::min(8 * room_, most_rows);
        rows_ = static_cast<Event *>(rows_ == nullptr ? MemoryContextAlloc(context_, room * sizeof(Event))
                                                      : repalloc(rows_, room * sizeof(Event)));
        room_ = room;
    }
    MemoryContext const caller = MemoryContextSwitchTo(rows_context_);
    Event &kept = rows_[kept_] = event;
    kept.event_type = copy_of(event.event_type);
    kept.component = copy_of(event.component);
    kept.status = copy_of(event.status);
    kept.metadata = copy_of(event.metadata);
    MemoryContextSwitchTo(caller);
    bytes_ += size_of(event.event_type) + size_of(event.component) + size_of(event.status) + size_of(event.metadata);
    if (++kept_ == most_rows || bytes_ >= most_bytes)
        store_kept();
}

void InsertStream::store_kept()
{
    if (kept_ == 0)
        return;
    append_events(rows_, kept_);
    for (std::size_t i = 0; i < kept_; ++i)
        deltas_.add(rows_[i]);
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
                        errhint("Enable all triggers of the view, or drop and create the extension again.")));
}

} // namespace gravitas::telemetry
