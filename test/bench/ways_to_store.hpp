// Ways in which an application can store events that it holds in memory, and what each costs.

#pragma once

#include "database.hpp"
#include "inferences.hpp"

#include <span>

namespace bench {

using Inferences = std::span<const Inference>;

struct Cost {
    double rows_a_second = 0;
    double server_us = 0; // CPU of the backend, a row
    double client_us = 0; // CPU of this program, all its threads, a row; making the batches and the data included
};

// All but the last: batches of so many rows, each in a transaction of its own.
// telemetry.ingest(), so many batches under way; 1: without pipelining.
Cost store_by_ingest(Connection &connection, Inferences events, std::size_t batch, int under_way);
Cost store_by_copy(Connection &connection, const std::string &table, Inferences events, std::size_t batch);
// INSERT of so many rows, prepared, with binary parameters.
Cost store_by_insert(Connection &connection, const std::string &table, Inferences events, std::size_t batch);
// The client library, from the first call of its log function to the end of flush().
Cost store_by_client(const std::string &database, Inferences events, std::size_t batch);

} // namespace bench
