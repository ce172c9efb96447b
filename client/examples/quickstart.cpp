#include <gravitas/telemetry.hpp>
#include <iostream>

int main()
{
    gravitas::telemetry::Client client; // connects as psql does: PGHOST, PGDATABASE, …
    {
        auto timer = client.time_load("llama3:8b"); // load the model here
    }
    client.log_thought_latency("llama3:8b", 1.92, 96); // seconds, tokens generated
    if (client.flush(std::chrono::seconds(5)))
        for (const auto &m : client.get_aggregated_efficiency())
            std::cout << m.component.value_or("?") << ": " << m.weighted_efficiency_score.value_or(0) << " ms/token\n";
}
