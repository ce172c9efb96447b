#include "ways_to_store.hpp"

#include "events.hpp"
#include "pipeline.hpp"

#include <gravitas/telemetry.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <random>
#include <stdexcept>

namespace bench {

namespace core = gravitas::telemetry::core;
namespace telemetry = gravitas::telemetry;

namespace {

double cpu_seconds_of_this_process()
{
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

class Stopwatch {
public:
    explicit Stopwatch(int backend)
        : backend_(backend), server_ms_(cpu_milliseconds_of(backend)), client_s_(cpu_seconds_of_this_process()),
          start_(Clock::now())
    {
    }

    [[nodiscard]] Cost cost(std::size_t rows) const
    {
        const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
        const double count = static_cast<double>(rows), client_s = cpu_seconds_of_this_process() - client_s_;
        const double server_ms = cpu_milliseconds_of(backend_).value_or(0) - server_ms_.value_or(0);
        return {count / seconds, server_ms * 1e3 / count, client_s * 1e6 / count};
    }

private:
    using Clock = std::chrono::steady_clock;
    int backend_;
    std::optional<double> server_ms_;
    double client_s_;
    Clock::time_point start_;
};

int backend_of(Connection &connection) { return static_cast<int>(connection.number("SELECT pg_backend_pid()")); }

template <typename Store>
void each_batch(Inferences events, std::size_t batch, Store store)
{
    for (std::size_t first = 0; first < events.size(); first += batch)
        store(events.subspan(first, std::min(batch, events.size() - first)));
}

// Makes batches as the client does.
class Producer {
public:
    Producer()
    {
        std::random_device random;
        for (std::uint8_t &byte : header_.producer)
            byte = static_cast<std::uint8_t>(random());
    }

    std::string batch_of(Inferences events)
    {
        writer_.clear();
        for (const Inference &event : events)
            writer_.add(batch_event(event));
        ++header_.sequence;
        header_.created_at = header_.sent_at = now_us();
        header_.account.accepted += events.size();
        header_.account.queued = header_.account.accepted - header_.account.stored;
        const std::vector<std::uint8_t> bytes = writer_.finish(header_);
        return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
    }

    void answered(const std::string &stored) { header_.account.stored += std::stoull(stored); }
    [[nodiscard]] const core::ClientAccount &account() const { return header_.account; }

private:
    static std::int64_t now_us()
    {
        using namespace std::chrono;
        return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
    }

    core::BatchWriter writer_;
    core::BatchHeader header_;
};

} // namespace

Cost store_by_ingest(Connection &connection, Inferences events, std::size_t batch, int under_way)
{
    const int backend = backend_of(connection);
    Producer producer;
    const Stopwatch stopwatch(backend);
    if (under_way > 1) {
        Pipeline pipeline(connection, "ingest", under_way, [&](const std::string &value) { producer.answered(value); });
        each_batch(events, batch, [&](Inferences part) { pipeline.send(producer.batch_of(part)); });
        pipeline.finish();
    } else {
        each_batch(events, batch, [&](Inferences part) {
            producer.answered(connection.run_binary("ingest", {producer.batch_of(part)}));
        });
    }
    const Cost cost = stopwatch.cost(events.size());
    if (producer.account().stored != events.size())
        throw std::runtime_error("ingest() stored " + std::to_string(producer.account().stored) + " events of " +
                                 std::to_string(events.size()));
    return cost;
}

Cost store_by_copy(Connection &connection, const std::string &table, Inferences events, std::size_t batch)
{
    constexpr std::size_t piece = 8192; // small enough that the server works while this program makes the next one
    const std::string copy = "COPY " + table + " " + event_columns + " FROM STDIN WITH (FORMAT binary)";
    const int backend = backend_of(connection);
    std::string data;
    const Stopwatch stopwatch(backend);
    each_batch(events, batch, [&](Inferences part) {
        connection.start_copy(copy);
        data = copy_header;
        for (const Inference &event : part) {
            append_binary(data, event);
            if (data.size() >= piece) {
                connection.copy(data);
                data.clear();
            }
        }
        data += copy_trailer;
        connection.copy(data);
        connection.finish_copy();
    });
    return stopwatch.cost(events.size());
}

Cost store_by_insert(Connection &connection, const std::string &table, Inferences events, std::size_t batch)
{
    constexpr int columns = 9;
    std::string statement = "INSERT INTO " + table + " " + event_columns + " VALUES ";
    for (std::size_t row = 0; row < batch; ++row)
        for (int column = 1; column <= columns; ++column)
            statement += (column > 1 ? ", $"
                          : row == 0 ? "($"
                                     : "), ($") +
                         std::to_string(row * columns + static_cast<std::size_t>(column));
    connection.run("DEALLOCATE ALL");
    connection.prepare("insert", statement + ")");
    const int backend = backend_of(connection);
    BinaryParameters parameters;
    const Stopwatch stopwatch(backend);
    each_batch(events, batch, [&](Inferences part) {
        parameters.clear();
        for (const Inference &event : part)
            parameters.add(event);
        connection.run_binary("insert", parameters.values());
    });
    return stopwatch.cost(events.size());
}

Cost store_by_client(const std::string &database, Inferences events, std::size_t batch)
{
    using namespace std::chrono;
    telemetry::Client client({.conninfo = "application_name=gravitas-bench-client dbname=" + database,
                              .queue_capacity = events.size() + 1,
                              .batch_events = batch});
    // It is connected once its first event is stored.
    client.log({.event_type = "WARM_UP"});
    if (!client.flush(seconds(30)))
        throw std::runtime_error("the client does not reach " + database);
    const int backend = static_cast<int>(Connection(database).number(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'gravitas-bench-client'"));
    const Stopwatch stopwatch(backend);
    for (const Inference &event : events)
        client.log_thought_latency({.model_name = model_name(event.model),
                                    .inference_time_seconds = event.duration_ms / 1000,
                                    .tokens_generated = event.tokens_generated,
                                    .prompt_tokens = event.prompt_tokens,
                                    .success = !event.failed,
                                    .first_token_seconds = event.first_token_ms / 1000,
                                    .event_time = system_clock::time_point(microseconds(event.time_us))});
    const bool is_stored = client.flush(minutes(5));
    const Cost cost = stopwatch.cost(events.size());
    if (!is_stored || client.account().stored != events.size() + 1)
        throw std::runtime_error("the client stored " + std::to_string(client.account().stored) + " events of " +
                                 std::to_string(events.size() + 1));
    return cost;
}

} // namespace bench
