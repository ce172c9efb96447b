#include "functions/retention_proof.hpp"

extern "C" {
#include "utils/array.h"
}

namespace gravitas::telemetry {

namespace {

// Events of the days that the rollups know of.
std::int64_t events_in_rollups(TimestampTz from, TimestampTz to)
{
    static pg::PreparedStatement<2> statement{
        "SELECT coalesce(sum(telemetry.event_count(summary)), 0)::bigint FROM ("
        "SELECT summary FROM telemetry.rollup_day WHERE bucket >= $1 AND bucket < $2"
        " UNION ALL SELECT summary FROM telemetry.deltas($1, $2)) AS r",
        {TIMESTAMPTZOID, TIMESTAMPTZOID}};
    statement.execute({TimestampTzGetDatum(from), TimestampTzGetDatum(to)}, {false, false}, SPI_OK_SELECT);
    return DatumGetInt64(pg::only_value(1));
}

// Raises the error of the last proof once more where it would fail again. A proof reads the whole day, so a round of
// maintenance makes it the more seldom the longer it has failed, once an hour at least, or when the rollups have
// changed.
void refuse_known(const RetentionPass &pass, const char *partition, Shortfall &shortfall)
{
    static pg::PreparedStatement<3> statement{
        "SELECT detail FROM telemetry.retention_delay WHERE partition = $1 AND reason = 'missing in rollups'"
        " AND rollup_events = $2 AND tried_at <= $3 AND $3 < tried_at + least(tried_at - since, interval '1 hour')",
        {TEXTOID, INT8OID, TIMESTAMPTZOID}};
    statement.execute(
        {CStringGetTextDatum(partition), Int64GetDatum(shortfall.rollup_events), TimestampTzGetDatum(pass.as_of)},
        {false, false, false}, SPI_OK_SELECT);
    if (SPI_processed == 0)
        return;
    shortfall.is_known = true;
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("%s", SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1))));
}

void record_delay(RetentionPass &pass, const char *partition, const Shortfall &shortfall, const ErrorData &error)
{
    const bool is_locked = error.sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
    (void)pass.step.run("noting what could not be dropped", [&] {
        static pg::PreparedStatement<5> statement{
            "INSERT INTO telemetry.retention_delay AS d VALUES ($1, $2, $3, $4, $4, $5) ON CONFLICT (partition)"
            " DO UPDATE SET reason = excluded.reason, detail = excluded.detail, tried_at = excluded.tried_at,"
            " rollup_events = excluded.rollup_events,"
            " since = CASE WHEN d.reason = excluded.reason THEN d.since ELSE excluded.since END",
            {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, INT8OID}};
        const char *const reason = shortfall.is_missing ? "missing in rollups" : is_locked ? "locked" : "failed";
        statement.execute({CStringGetTextDatum(partition), CStringGetTextDatum(reason),
                           CStringGetTextDatum(error.message), TimestampTzGetDatum(pass.as_of),
                           Int64GetDatum(shortfall.rollup_events)},
                          {false, false, false, false, !shortfall.is_missing}, SPI_OK_INSERT);
    });
}

} // namespace

Proof prove(TimestampTz from, TimestampTz to)
{
    static pg::PreparedStatement<2> statement{"SELECT (p).* FROM telemetry.prove_rollups($1, $2) AS p",
                                              {TIMESTAMPTZOID, TIMESTAMPTZOID}};
    statement.execute({TimestampTzGetDatum(from), TimestampTzGetDatum(to)}, {false, false}, SPI_OK_SELECT);
    return {DatumGetInt64(pg::only_value(1)), DatumGetInt64(pg::only_value(2))};
}

std::int64_t require_rollups(const RetentionPass &pass, const char *partition, TimestampTz from, TimestampTz to,
                             Shortfall &shortfall)
{
    shortfall.rollup_events = events_in_rollups(from, to);
    if (!pass.is_asked_for)
        refuse_known(pass, partition, shortfall);
    const Proof proof = prove(from, to);
    shortfall.is_missing = proof.missing > 0;
    if (shortfall.is_missing)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("cannot remove \"%s\": rollups lack " INT64_FORMAT " of its " INT64_FORMAT " events",
                               partition, proof.missing, proof.rows),
                        errhint("rebuild_rollups() of its days mends that.")));
    return proof.rows;
}

// What is locked goes a little later, as a rule: that is no failure.
void keep(RetentionPass &pass, const char *partition, const Shortfall &shortfall, const ErrorData &error)
{
    pass.removed.kept_days += 1;
    MemoryContext const caller = MemoryContextSwitchTo(pass.step.memory());
    pass.kept = lappend(pass.kept, pstrdup(partition));
    MemoryContextSwitchTo(caller);
    if (!shortfall.is_known)
        record_delay(pass, partition, shortfall, error);
    if (error.sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
        pass.step.fail(&error);
}

void forget_old_delays(RetentionPass &pass)
{
    (void)pass.step.must("forgetting what could not be dropped", [&] {
        static pg::PreparedStatement<1> statement{"DELETE FROM telemetry.retention_delay WHERE partition <> ALL ($1)",
                                                  {TEXTARRAYOID}};
        const int count = list_length(pass.kept);
        auto *const names = static_cast<Datum *>(palloc(sizeof(Datum) * (count + 1)));
        for (int i = 0; i < count; ++i)
            names[i] = CStringGetTextDatum(static_cast<const char *>(list_nth(pass.kept, i)));
        ArrayType *const kept = construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT);
        statement.execute({PointerGetDatum(kept)}, {false}, SPI_OK_DELETE);
    });
}

} // namespace gravitas::telemetry
