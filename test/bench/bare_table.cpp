#include "bare_table.hpp"

namespace bench {

void make_bare_table(Connection &connection, const std::string &name)
{
    const std::string cache =
        connection.value("SELECT seqcache FROM pg_sequence WHERE seqrelid = 'telemetry.event_id_seq'::regclass");
    connection.run("CREATE TABLE public." + name + " (LIKE telemetry.event)");
    connection.run("CREATE SEQUENCE public." + name + "_id_seq CACHE " + cache);
    connection.run("ALTER TABLE public." + name +
                   " ALTER \"timestamp\" SET DEFAULT clock_timestamp(), ALTER id SET DEFAULT nextval('public." + name +
                   "_id_seq')");
}

void add_timestamp_index(Connection &connection, const std::string &name)
{
    connection.run("CREATE INDEX ON public." + name + " (\"timestamp\")");
}

} // namespace bench
