#include "functions/producer.hpp"

#include <algorithm>
#include <limits>

#include "core/time_bucket.hpp"
#include "functions/retention_horizon.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/spi.hpp"

namespace gravitas::telemetry {

namespace {

// A time of a batch; any that a timestamp cannot hold as the nearest that it can.
TimestampTz timestamp_of(std::int64_t microseconds_since_1970) noexcept
{
    return std::clamp<TimestampTz>(core::from_unix_time(microseconds_since_1970), MIN_TIMESTAMP, END_TIMESTAMP - 1);
}

Datum count_datum(std::uint64_t count) noexcept
{
    return Int64GetDatum(
        static_cast<std::int64_t>(std::min<std::uint64_t>(count, std::numeric_limits<std::int64_t>::max())));
}

constexpr int parameter_count = 10;
constexpr Oid parameter_types[parameter_count] = {UUIDOID, INT8OID, TIMESTAMPTZOID, FLOAT8OID, INT8OID,
                                                  INT8OID, INT8OID, INT8OID,        INT8OID,   INT8OID};
constexpr bool no_nulls[parameter_count] = {};

struct Parameters {
    Datum values[parameter_count];

    explicit Parameters(const core::BatchHeader &header) noexcept
    {
        const TimestampTz now = GetCurrentTimestamp();
        const core::ClientAccount &account = header.account;
        const Datum all[parameter_count] = {
            PointerGetDatum(header.producer.data()),
            count_datum(header.sequence),
            TimestampTzGetDatum(now),
            Float8GetDatum(static_cast<double>(timestamp_of(header.sent_at) - now) / 1000),
            count_datum(account.accepted),
            count_datum(account.stored),
            count_datum(account.queued),
            count_datum(account.spilled),
            count_datum(account.dropped),
            count_datum(account.refused),
        };
        std::copy(all, all + parameter_count, values);
    }
};

// Two are enough where sessions of one producer meet. More happen where a producer is forgotten at the same moment.
constexpr int most_attempts = 10;

bool is_next(const Parameters &parameters)
{
    // All that is written OPERATOR() binds alike, hence the parentheses.
    static pg::PreparedStatement<parameter_count> statement{
        "UPDATE telemetry.producer SET last_sequence = $2, last_seen_at = $3, clock_ahead_ms = $4, accepted = $5,"
        " stored = $6, queued = $7, spilled = $8, dropped = $9, refused = $10"
        " WHERE producer OPERATOR(pg_catalog.=) $1"
        " AND last_sequence OPERATOR(pg_catalog.=) ($2 OPERATOR(pg_catalog.-) 1)",
        parameter_types};
    statement.execute(parameters.values, no_nulls, SPI_OK_UPDATE);
    return SPI_processed > 0;
}

bool is_first(const Parameters &parameters)
{
    static pg::PreparedStatement<parameter_count> statement{
        "INSERT INTO telemetry.producer (producer, last_sequence, first_seen_at, last_seen_at, clock_ahead_ms, "
        "accepted,"
        " stored, queued, spilled, dropped, refused) VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10)"
        " ON CONFLICT DO NOTHING",
        parameter_types};
    statement.execute(parameters.values, no_nulls, SPI_OK_INSERT);
    return SPI_processed > 0;
}

struct KnownProducer {
    std::uint64_t last_sequence;
    TimestampTz first_seen_at;
};

std::optional<KnownProducer> find_producer(const Parameters &parameters)
{
    static constexpr Oid types[] = {UUIDOID};
    static pg::PreparedStatement<1> statement{"SELECT last_sequence, first_seen_at FROM telemetry.producer"
                                              " WHERE producer OPERATOR(pg_catalog.=) $1 FOR UPDATE",
                                              types};
    statement.execute({parameters.values[0]}, {false}, SPI_OK_SELECT);
    if (SPI_processed == 0)
        return std::nullopt;
    return KnownProducer{static_cast<std::uint64_t>(DatumGetInt64(pg::only_value(1))),
                         DatumGetTimestampTz(pg::only_value(2))};
}

// How long producers are remembered after their last batch; nothing for ever.
std::optional<double> memory_seconds()
{
    static pg::PreparedStatement<1> statement{
        "SELECT pg_catalog.date_part('epoch', 2 OPERATOR(pg_catalog.*) telemetry.retention_keep($1))", {TEXTOID}};
    statement.execute({CStringGetTextDatum("event")}, {false}, SPI_OK_SELECT);
    bool is_null;
    const Datum seconds = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
    return is_null ? std::nullopt : std::optional(DatumGetFloat8(seconds));
}

[[noreturn]] void refuse_age(TimestampTz created, double seconds)
{
    ereport(ERROR, (errcode(pg::detail::code_of(core::sqlstate::batch_too_old)),
                    errmsg("batch of \"%s\" is too old: its producer may have been forgotten since",
                           timestamptz_to_str(created)),
                    errdetail("Producers are remembered for %.0f days after their last batch.", seconds / 86'400),
                    errhint("Its events cannot be told from ones that are stored already; drop them.")));
}

// A batch is told from its duplicate where its producer has been known ever since it was made, or would not have been
// forgotten since.
void refuse_forgotten(const core::BatchHeader &header, const std::optional<KnownProducer> &known)
{
    const TimestampTz created = timestamp_of(header.created_at);
    if (known && created >= known->first_seen_at)
        return;
    const std::optional<double> seconds = memory_seconds();
    const auto age_us = static_cast<double>(GetCurrentTimestamp() - created);
    if ((seconds && age_us > *seconds * 1e6) || created < expired_before("producer"))
        refuse_age(created, seconds.value_or(age_us / 1e6));
}

void refuse_gap(const core::BatchHeader &header, std::uint64_t last)
{
    ereport(ERROR, (errcode(pg::detail::code_of(core::sqlstate::batch_out_of_sequence)),
                    errmsg("batch \"" UINT64_FORMAT "\" is not the next one of its producer", header.sequence),
                    errdetail("The next sequence of this producer is " UINT64_FORMAT ".", last + 1),
                    errhint("Send the batches again from there on.")));
}

void refuse_suppressed(const core::BatchHeader &header)
{
    ereport(
        ERROR,
        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
         errmsg("cannot record that batch \"" UINT64_FORMAT "\" is stored", header.sequence),
         errhint("A trigger, a rule or row security on telemetry.producer hides or suppresses its row: remove it.")));
}

} // namespace

bool advance_producer(const core::BatchHeader &header, std::size_t events)
{
    if (header.sequence == 0 || header.sequence > std::numeric_limits<std::int64_t>::max())
        throw core::Error(core::sqlstate::invalid_binary_representation,
                          "batch sequence must be between 1 and 2^63 - 1, not \"" + std::to_string(header.sequence) +
                              "\"");
    // Nobody is forgotten within a day. An older batch is looked at before it is taken for the next one.
    const bool is_old = events > 0 && timestamp_of(header.created_at) < GetCurrentTimestamp() - core::day_us;
    bool advanced = false;
    pg::with_spi([&] {
        const Parameters parameters(header);
        for (int attempt = 0; !advanced && (is_old || !(advanced = is_next(parameters))); ++attempt) {
            const std::optional<KnownProducer> known = find_producer(parameters);
            const std::uint64_t last = known ? known->last_sequence : 0;
            if (header.sequence <= last)
                return;
            if (events > 0 && (!known || last + 1 == header.sequence))
                refuse_forgotten(header, known);
            if (last + 1 != header.sequence)
                refuse_gap(header, last);
            // Another session may add the producer at the same moment, or have let it advance: then look again.
            advanced = known ? is_next(parameters) : is_first(parameters);
            if (!advanced && attempt == most_attempts)
                refuse_suppressed(header);
        }
    });
    return advanced;
}

} // namespace gravitas::telemetry
