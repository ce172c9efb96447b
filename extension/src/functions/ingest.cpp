// ingest(): a batch of a client, stored exactly once. docs/batch-format.md says how.

#include <algorithm>

#include "core/batch_reader.hpp"
#include "functions/batch_store.hpp"
#include "functions/producer.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/memory.hpp"
#include "pg/row.hpp"
#include "pg/utf8.hpp"

using namespace gravitas::telemetry;

namespace {

// The strings of a batch as texts of this database; nullptr where one cannot be.
text **texts_of(const core::BatchReader &reader)
{
    const auto dictionary = reader.dictionary();
    text **const texts = static_cast<text **>(palloc(sizeof(text *) * (dictionary.size() + 1)));
    for (std::size_t i = 0; i < dictionary.size(); ++i)
        texts[i] = pg::text_from_utf8(dictionary[i]);
    return texts;
}

class IngestedEvents final : public BatchSource {
public:
    explicit IngestedEvents(core::BatchReader &reader)
        : reader_(reader), texts_(texts_of(reader)),
          rows_(static_cast<core::BatchRow *>(
              palloc(sizeof(core::BatchRow) * std::clamp<std::size_t>(reader.events(), 1, most_at_once))))
    {
    }

    void make(std::size_t index, Event &event) override
    {
        const core::BatchRow &row = row_at(index);
        event.timestamp = timestamp(row.time_us);
        event.event_type = text_at(row.event_type, "event_type");
        event.component = row.component ? text_at(*row.component, "component") : nullptr;
        event.status = row.status ? text_at(*row.status, "status") : nullptr;
        event.figures = {row.value, row.duration_ms, row.first_token_ms, row.prompt_tokens, row.tokens_generated};
        event.metadata = row.metadata ? pg::jsonb_from_utf8(*row.metadata) : nullptr;
    }

private:
    // Events take two bytes in a batch and a hundred here, so only those are decoded that are asked for again.
    const core::BatchRow &row_at(std::size_t index)
    {
        for (; decoded_ <= index; ++decoded_)
            (void)reader_.next(*new (&rows_[decoded_ % most_at_once]) core::BatchRow);
        return rows_[index % most_at_once];
    }

    static TimestampTz timestamp(std::int64_t microseconds_since_1970)
    {
        const TimestampTz at = core::from_unix_time(microseconds_since_1970);
        if (!IS_VALID_TIMESTAMP(at))
            throw core::Error("22008", "event time out of range: \"" + std::to_string(microseconds_since_1970) +
                                           "\" µs since 1970");
        return at;
    }

    text *text_at(std::uint32_t place, const char *column) const
    {
        if (texts_[place] == nullptr)
            pg::refuse_text(reader_.dictionary()[place], column);
        return texts_[place];
    }

    core::BatchReader &reader_;
    text **texts_;
    core::BatchRow *rows_; // the last ones that were decoded
    std::size_t decoded_ = 0;
};

} // namespace

// ingest(batch) → (stored, refused, duplicate, next_sequence); strict
TELEMETRY_FUNCTION(ingest)
{
    const bytea *const bytes = PG_GETARG_BYTEA_PP(0);
    pg::ContextResource memory(CurrentMemoryContext);
    core::BatchReader reader({reinterpret_cast<const std::uint8_t *>(VARDATA_ANY(bytes)), VARSIZE_ANY_EXHDR(bytes)},
                             memory);
    const core::BatchHeader header = reader.header();
    const bool is_new = advance_producer(header, reader.events());
    BatchResult result;
    if (is_new) {
        IngestedEvents events(reader);
        result = store_batch(events, reader.events());
    }
    return pg::row_of(fcinfo, {Int32GetDatum(result.stored), JsonbPGetDatum(refusals_as_json(result.refused)),
                               BoolGetDatum(!is_new), Int64GetDatum(static_cast<std::int64_t>(header.sequence + 1))});
}
