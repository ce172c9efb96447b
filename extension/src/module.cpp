// Gravitas Telemetry, the loadable module.
//
// Words used everywhere:
//   event      one thing that happened at one time: a model was loaded, an answer was generated, memory was looked at
//   component  what the event is about: a model, a GPU, a subsystem
//   score      efficiency of one inference, milliseconds per generated token; lower is better
//   window     a half-open stretch of whole minutes that a question is asked about
//   partition  the storage of one UTC day of events
//   summary    what any number of events amount to; summaries merge
//   rollup     a table of summaries by time, event type and component
//   delta      a summary that an insert has appended and compact() has not gathered yet
//
// core/       arithmetic and meaning; knows nothing of Postgres
// pg/         the boundary between C++ and Postgres, and what the functions need of it
// functions/  one file for each SQL feature: checks arguments, calls core, stores
// worker      background workers, and the launcher that starts them where the library is preloaded

#include "pg/prelude.hpp"
#include "settings.hpp"
#include "worker.hpp"

extern "C" {
PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init();
void _PG_init()
{
    gravitas::telemetry::settings::define();
    // pg_upgrade wants nobody else in its databases.
    if (process_shared_preload_libraries_in_progress && !IsBinaryUpgrade)
        gravitas::telemetry::worker::register_launcher();
}
}
