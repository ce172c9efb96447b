#include "functions/overdue.hpp"

#include <algorithm>

#include "core/time_bucket.hpp"
#include "functions/maintenance.hpp"
#include "functions/maintenance_step.hpp"
#include "functions/presence.hpp"
#include "functions/rollup.hpp"
#include "pg/relation.hpp"
#include "pg/scan.hpp"
#include "settings.hpp"
#include "worker.hpp"

extern "C" {
#include "utils/fmgroids.h"
#include "utils/xid8.h"
}

namespace gravitas::telemetry {

namespace {

constexpr core::Microseconds second_us = 1'000'000;

constexpr std::int64_t many_deltas = 2'000;       // cost a read 2 to 4 ms
constexpr auto compaction_pause = 2 * second_us;  // a worker costs some milliseconds to start
constexpr auto failure_pause = 60 * second_us;    // what failed fails again
constexpr auto idle_pause = 30 * core::minute_us; // between rounds where nobody writes

constexpr auto look_every = second_us;
constexpr std::size_t look_after_deltas = 500;
constexpr auto longest_backoff = 64 * second_us;

// Deltas that are not compacted, as far as the statistics collected by the server know.
std::int64_t waiting_deltas()
{
    return DatumGetInt64(
        DirectFunctionCall1(pg_stat_get_live_tuples, ObjectIdGetDatum(pg::relation_of("rollup_delta"))));
}

// Whether there is any, which statistics may not know after a crash or on what was a replica. Also where that cannot be
// seen without waiting.
bool has_deltas()
{
    bool found = false;
    PushActiveSnapshot(GetTransactionSnapshot());
    ReadableTable compaction(pg::relation_of("compaction"));
    ReadableTable deltas(pg::relation_of("rollup_delta"));
    const Oid index = deltas.is_open() ? pg::find_btree(deltas.relation(), 1) : InvalidOid;
    const bool is_readable = compaction.is_open() && OidIsValid(index);
    if (is_readable) {
        ScanKeyData key;
        ScanKeyInit(&key, 1, BTGreaterEqualStrategyNumber, F_XID8GE,
                    FullTransactionIdGetDatum(compaction_mark(compaction.relation())));
        pg::scan_index(deltas.relation(), index, &key, 1, [&](TupleTableSlot *) {
            found = true;
            return false;
        });
    }
    deltas.close();
    compaction.close();
    PopActiveSnapshot();
    return found || !is_readable;
}

bool is_past(const std::optional<TimestampTz> &last, core::Microseconds pause, TimestampTz now)
{
    return !last || now - *last >= pause || *last > now;
}

// Workers that were started and did nothing, one after the other: they are not to be had, or cannot connect.
class Backoff {
public:
    bool allows(TimestampTz now) const noexcept { return now >= not_before_ || now < started_at_; }
    void started(TimestampTz now, const std::optional<TimestampTz> &last_finished) noexcept
    {
        const bool helped = last_finished && *last_finished > started_at_;
        pause_ = helped ? compaction_pause : std::min<core::Microseconds>(2 * pause_, longest_backoff);
        started_at_ = now;
        not_before_ = now + pause_;
    }

private:
    TimestampTz started_at_ = 0;
    TimestampTz not_before_ = 0;
    core::Microseconds pause_ = compaction_pause / 2;
};

void start_if_overdue()
{
    static Backoff backoff;
    const TimestampTz now = GetCurrentTimestamp();
    if (!settings::maintenance || !backoff.allows(now) || !OidIsValid(pg::relation_of("maintenance_lock")))
        return;
    if (maintenance_due() == Due::nothing || is_maintained_now())
        return;
    backoff.started(now, last_maintenance().value_or(LastMaintenance{}).finished_at);
    worker::start_as_owner(MyDatabaseId, schema_owner(), nullptr);
}

} // namespace

Due maintenance_due()
{
    const TimestampTz now = GetCurrentTimestamp();
    const std::optional<LastMaintenance> last = last_maintenance();
    if (!last)
        return Due::nothing;
    if (is_past(last->started_at, settings::maintenance_interval_s * second_us, now))
        return Due::round;
    const bool may_compact = is_past(last->finished_at, last->has_failed ? failure_pause : compaction_pause, now);
    return may_compact && waiting_deltas() >= many_deltas ? Due::compaction : Due::nothing;
}

Due idle_maintenance_due()
{
    const Due due = maintenance_due();
    if (due == Due::round &&
        !is_past(last_maintenance().value_or(LastMaintenance{}).started_at, idle_pause, GetCurrentTimestamp()) &&
        !has_deltas())
        return Due::nothing;
    return due;
}

void notice_deltas(std::size_t count)
{
    static TimestampTz looked_at = 0;
    static std::size_t appended = 0;
    appended += count;
    // When the statement started costs nothing to ask; within a long one, deltas are counted.
    const TimestampTz now = GetCurrentStatementStartTimestamp();
    if (appended < look_after_deltas && now - looked_at < look_every && now >= looked_at)
        return;
    looked_at = now;
    appended = 0;
    start_if_overdue();
}

} // namespace gravitas::telemetry
