// check_alerts(): what fires and what is resolved. set_alert(): when.

#include <cmath>

#include "core/time_bucket.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/one_session.hpp"
#include "pg/spi.hpp"

using namespace gravitas::telemetry;

namespace {

// One statement, so one snapshot. $1: as_of.
constexpr char change_states[] = R"(
    WITH measured AS MATERIALIZED (
        SELECT m.*, r.threshold, r.clear_threshold
        FROM telemetry.alert_measurements($1) AS m JOIN telemetry.alert_rules() AS r USING (rule)
        WHERE r.is_enabled
    ), known AS MATERIALIZED (
        SELECT f.alert_id, f.rule, f.subject, m.value, m.clear_threshold,
               m.rule IS NULL OR coalesce(m.value <= m.clear_threshold, false) AS is_over
        FROM telemetry.alert_firing AS f
        LEFT JOIN measured AS m ON m.rule = f.rule AND m.subject IS NOT DISTINCT FROM f.subject
    ), started AS (
        INSERT INTO telemetry.alert_firing (alert_id, rule, subject, since, value)
        SELECT nextval('telemetry.alert_id_seq'), fresh.rule, fresh.subject, $1, fresh.value
        FROM (SELECT m.rule, m.subject, m.value FROM measured AS m
              WHERE m.value > m.threshold AND m.is_confirmed
                AND NOT EXISTS (SELECT FROM known AS k WHERE k.rule = m.rule AND k.subject IS NOT DISTINCT FROM m.subject)
              ORDER BY m.rule, m.subject) AS fresh
        RETURNING alert_id, rule, subject, value
    ), ended AS (
        DELETE FROM telemetry.alert_firing AS f USING known AS k WHERE f.alert_id = k.alert_id AND k.is_over
    ), lasting AS (
        UPDATE telemetry.alert_firing AS f SET value = k.value FROM known AS k
        WHERE f.alert_id = k.alert_id AND NOT k.is_over AND k.value <> f.value
    ), logged AS (
        INSERT INTO telemetry.alert_log (alert_id, rule, subject, state, changed_at, value, threshold)
        SELECT s.alert_id, s.rule, s.subject, 'firing', $1, s.value, m.threshold
        FROM started AS s JOIN measured AS m ON m.rule = s.rule AND m.subject IS NOT DISTINCT FROM s.subject
        UNION ALL
        SELECT k.alert_id, k.rule, k.subject, 'resolved', $1, k.value, k.clear_threshold FROM known AS k WHERE k.is_over
        RETURNING *
    ), told AS MATERIALIZED (   -- anybody can listen, and notify: receivers read the log
        SELECT l.*, pg_notify('telemetry_alert', json_build_object('alert_id', l.alert_id, 'rule', l.rule)::text)
        FROM logged AS l
    )
    SELECT alert_id, rule, subject, state, changed_at, value, threshold FROM told ORDER BY alert_id)";

// ---- Changing a rule ----

struct Rule {
    double threshold;
    double clear_threshold;
};

double checked_threshold(FunctionCallInfo fcinfo, int argument, const char *name)
{
    const double value = PG_GETARG_FLOAT8(argument);
    if (!(value >= 0) || std::isinf(value))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("%s must be a number that is not negative, not \"%s\"", name,
                               DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(value)))),
                        errhint("Leave %s out for the default, or give is_enabled => false for no alert.", name)));
    return value;
}

// Inside with_spi().
Rule default_rule(Datum rule)
{
    static pg::PreparedStatement<1> find{
        "SELECT threshold, clear_threshold FROM telemetry.alert_defaults() WHERE rule = $1", {TEXTOID}};
    find.read({rule});
    if (SPI_processed == 1)
        return {DatumGetFloat8(pg::only_value(1)), DatumGetFloat8(pg::only_value(2))};
    static pg::PreparedStatement<1> list{
        "SELECT string_agg(rule, ', ') FROM telemetry.alert_defaults() WHERE $1 IS NOT NULL", {TEXTOID}};
    list.read({rule});
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown alert rule \"%s\"", TextDatumGetCString(rule)),
             errhint("The rules are %s.", TextDatumGetCString(pg::only_value(1)))));
    pg_unreachable();
}

// An alert that would fire at once and for ever is a mistake.
void refuse_passed_cap(Datum rule, double threshold)
{
    static pg::PreparedStatement<2> statement{
        "SELECT max(f.size)::text FROM (SELECT CASE WHEN $1 = 'size' AND table_name = 'total' THEN total_bytes"
        " WHEN $1 = 'rows' AND table_name IN ('system_telemetry', 'usage_stats', 'history') THEN row_count END AS size"
        " FROM telemetry.footprint(now()) WHERE $1 IN ('size', 'rows')) AS f WHERE f.size > $2",
        {TEXTOID, FLOAT8OID}};
    statement.read({rule, Float8GetDatum(threshold)});
    bool is_null;
    const Datum size = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
    if (is_null)
        return;
    const char *const unit = strcmp(TextDatumGetCString(rule), "size") == 0 ? "bytes" : "rows";
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("threshold \"%.0f\" is below today's \"%s\" %s", threshold, TextDatumGetCString(size), unit),
                    errhint("Take one above it, or keep events for a shorter time first.")));
}

void store_rule(Datum rule, const std::optional<Rule> &changed, bool is_enabled)
{
    static pg::PreparedStatement<4> statement{
        "INSERT INTO telemetry.alert_rule (rule, threshold, clear_threshold, is_enabled) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (rule) DO UPDATE SET threshold = excluded.threshold,"
        " clear_threshold = excluded.clear_threshold, is_enabled = excluded.is_enabled",
        {TEXTOID, FLOAT8OID, FLOAT8OID, BOOLOID}};
    const Rule values = changed.value_or(Rule{});
    statement.execute(
        {rule, Float8GetDatum(values.threshold), Float8GetDatum(values.clear_threshold), BoolGetDatum(is_enabled)},
        {false, !changed, !changed, false}, SPI_OK_INSERT);
}

} // namespace

// check_alerts(as_of) → transitions
TELEMETRY_FUNCTION(check_alerts)
{
    const TimestampTz as_of = pg::finite_time(fcinfo, 0, "as_of");
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    if (!pg::lock_for_one_session("alert_lock", "check_alerts()"))
        PG_RETURN_NULL();
    static pg::PreparedStatement<1> statement{change_states, {TIMESTAMPTZOID}};
    pg::with_spi([&] {
        statement.execute({TimestampTzGetDatum(as_of)}, {false}, SPI_OK_SELECT);
        auto *const result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
        for (std::uint64_t i = 0; i < SPI_processed; ++i)
            tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
    });
    PG_RETURN_NULL();
}

// set_alert(rule, threshold, clear_threshold, is_enabled)
TELEMETRY_FUNCTION(set_alert)
{
    const Datum rule = PointerGetDatum(pg::required_name(fcinfo, 0, "rule"));
    pg::require(fcinfo, 3, "is_enabled");
    const bool is_changed = !PG_ARGISNULL(1) || !PG_ARGISNULL(2);
    pg::with_spi([&] {
        const Rule standard = default_rule(rule);
        Rule changed = standard;
        if (!PG_ARGISNULL(1)) {
            changed.threshold = checked_threshold(fcinfo, 1, "threshold");
            const double share = standard.threshold > 0 ? standard.clear_threshold / standard.threshold : 1;
            changed.clear_threshold = changed.threshold * share;
            refuse_passed_cap(rule, changed.threshold);
        }
        if (!PG_ARGISNULL(2))
            changed.clear_threshold = checked_threshold(fcinfo, 2, "clear_threshold");
        if (changed.clear_threshold > changed.threshold)
            ereport(ERROR,
                    (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                     errmsg("clear_threshold \"%g\" is above the threshold \"%g\"", changed.clear_threshold,
                            changed.threshold),
                     errhint("An alert fires above the threshold and is resolved at clear_threshold or below.")));
        store_rule(rule, is_changed ? std::optional(changed) : std::nullopt, PG_GETARG_BOOL(3));
    });
    PG_RETURN_VOID();
}
