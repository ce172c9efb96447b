#include "functions/batch_store.hpp"

#include "functions/rollup_delta.hpp"
#include "pg/jsonb.hpp"
#include "pg/subtransaction.hpp"

namespace gravitas::telemetry {

namespace {

// Whether an event may be refused for such an error: its data, a constraint, a limit, row security, a trigger's RAISE.
// Everything else says something of the server, and the batch may succeed later.
bool blames_an_event(const ErrorData &error) noexcept
{
    constexpr std::string_view row_security = "new row violates row-level security policy";
    switch (ERRCODE_TO_CATEGORY(error.sqlerrcode)) {
    case ERRCODE_DATA_EXCEPTION:
        return error.sqlerrcode != ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED; // of ids
    case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
    case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
        return true;
    default:
        return error.sqlerrcode == ERRCODE_RAISE_EXCEPTION ||
               (error.sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE && error.message_id != nullptr &&
                std::string_view(error.message_id).substr(0, row_security.size()) == row_security);
    }
}

// One batch on its way. It lives on the stack, but its memory is in contexts and nothing of it has a destructor.
class BatchStore {
public:
    explicit BatchStore(BatchSource &source)
        : source_(source), caller_(CurrentMemoryContext),
          scratch_(AllocSetContextCreateInternal(caller_, "telemetry batch", ALLOCSET_DEFAULT_SIZES)), deltas_(caller_)
    {
    }

    // Stores a range at once, or in halves where an event in it has to be found and refused.
    void store_range(std::size_t first, std::size_t count)
    {
        Refusal **const end_before = end_;
        Event *events = nullptr;
        std::size_t made = 0;
        // An attempt that fails leaves what it allocated: that must go with the next one, of which there may be many.
        MemoryContext const before = MemoryContextSwitchTo(scratch_);
        const ErrorData *const error = pg::attempt(
            [&] {
                events = make_range(first, count, made);
                store_prepared(events, made);
            },
            blames_an_event);
        MemoryContextSwitchTo(before);
        if (error == nullptr) {
            deltas_.add(events, made);
            for (std::size_t i = 0; i < made; ++i)
                result_.stored += events[i].is_stored ? 1 : 0;
            return;
        }
        end_ = end_before; // found again when the event is made again
        *end_ = nullptr;
        if (count == 1) {
            refuse(first, unpack_sql_state(error->sqlerrcode), error->message);
        } else {
            store_range(first, count / 2);
            store_range(first + count / 2, count - count / 2);
        }
    }

    BatchResult finish()
    {
        deltas_.flush();
        MemoryContextDelete(scratch_);
        return result_;
    }

private:
    // The events of a range that can be stored as far as their own values tell, and how many.
    Event *make_range(std::size_t first, std::size_t count, std::size_t &made)
    {
        MemoryContextReset(scratch_);
        Event *const events = static_cast<Event *>(palloc(sizeof(Event) * count));
        for (std::size_t index = first; index < first + count; ++index)
            if (make_one(index, events[made]))
                ++made;
        return events;
    }

    bool make_one(std::size_t index, Event &event)
    {
        char sqlstate[6];
        char reason[512];
        event = {};
        try {
            source_.make(index, event);
            prepare(event);
            return true;
        } catch (const core::Error &error) {
            strlcpy(sqlstate, error.sqlstate(), sizeof sqlstate);
            pg::detail::copy_text(reason, error.what());
        }
        refuse(index, sqlstate, reason);
        return false;
    }

    void refuse(std::size_t index, const char *sqlstate, const char *reason)
    {
        Refusal *const refusal = static_cast<Refusal *>(MemoryContextAlloc(caller_, sizeof(Refusal)));
        refusal->index = index;
        strlcpy(refusal->sqlstate, sqlstate, sizeof refusal->sqlstate);
        refusal->reason = MemoryContextStrdup(caller_, reason);
        refusal->next = nullptr;
        *end_ = refusal;
        end_ = &refusal->next;
    }

    BatchSource &source_;
    MemoryContext caller_;
    MemoryContext scratch_; // what one attempt needs; current while it runs
    DeltaFold deltas_;
    BatchResult result_;
    Refusal **end_ = &result_.refused;
};

} // namespace

BatchResult store_batch(BatchSource &source, std::size_t count)
{
    BatchStore store(source);
    for (std::size_t first = 0; first < count; first += BatchSource::most_at_once)
        store.store_range(first, std::min(BatchSource::most_at_once, count - first));
    return store.finish();
}

Jsonb *refusals_as_json(const Refusal *refusal)
{
    pg::ArrayBuilder array;
    for (; refusal != nullptr; refusal = refusal->next) {
        pg::ObjectBuilder object;
        object.add({"index", pg::json_number(static_cast<double>(refusal->index))});
        object.add({"sqlstate", pg::json_string(refusal->sqlstate)});
        object.add({"reason", pg::json_string(refusal->reason)});
        array.add(object.finish());
    }
    return array.finish();
}

} // namespace gravitas::telemetry
