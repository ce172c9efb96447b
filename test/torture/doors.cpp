#include "torture/doors.hpp"

namespace gravitas::telemetry::torture {

namespace {

template <typename Write>
std::string written(const std::vector<Row> &rows, const std::string &component, const char *between, Write write)
{
    std::string text;
    for (const Row &row : rows)
        text += (text.empty() ? "" : between) + write(row, component);
    return text;
}

} // namespace

std::vector<Row> Doors::rows(Random &random, int most)
{
    std::vector<Row> rows;
    for (int left = random.between(1, most); left > 1; --left)
        rows.push_back(random_row(random, next()));
    rows.push_back(counted_row(random, next()));
    return rows;
}

Piece Doors::log_one(Random &random)
{
    return {"log()",
            "SELECT telemetry.log($1, $2, $3, status => $4, event_time => $5)",
            {random.one_of({"TICK", "NOTE"}), component_, std::to_string(next()), random.one_of({"OK", "FAILED"}),
             sql_time(random_time(random))}};
}

Piece Doors::log_load(Random &random)
{
    return {"log_load_latency()",
            "SELECT telemetry.log_load_latency($1, $2, event_time => $3)",
            {component_, std::to_string(next()), sql_time(random_time(random))}};
}

Piece Doors::log_thought(Random &random)
{
    const int tokens = random.between(1, 50);
    const double seconds = static_cast<double>(next()) * tokens / 1'000;
    return {"log_thought_latency()",
            "SELECT telemetry.log_thought_latency($1, $2, $3, $4, event_time => $5, metadata => '{\"torture\": 1}')",
            {component_, std::to_string(seconds), std::to_string(tokens), std::to_string(random.between(0, 500)),
             sql_time(random_time(random))}};
}

Piece Doors::log_batch(Random &random, int most)
{
    const auto made = rows(random, most);
    return {"log_batch()",
            "SELECT stored FROM telemetry.log_batch($1)",
            {"[" + written(made, component_, ",", as_json) + "]"},
            {.events = static_cast<long>(made.size())},
            std::to_string(made.size())};
}

std::string Doors::insert(const std::vector<Row> &made) const
{
    return std::string("INSERT INTO telemetry.system_telemetry ") + columns + " VALUES " +
           written(made, component_, ", ", as_values);
}

Piece Doors::insert_rows(Random &random, int most)
{
    const auto made = rows(random, most);
    return {"INSERT",
            "WITH stored AS (" + insert(made) + " RETURNING id) SELECT count(DISTINCT id) FROM stored",
            {},
            {.events = static_cast<long>(made.size())},
            std::to_string(made.size())};
}

Piece Doors::insert_one(Random &random)
{
    return {"INSERT of one row", insert({counted_row(random, next())}) + " RETURNING id"};
}

Piece Doors::insert_nested(Random &random, int most)
{
    const auto first = rows(random, most);
    const auto second = rows(random, most);
    const std::size_t count = first.size() + second.size();
    return {"INSERT in two CTEs",
            "WITH a AS (" + insert(first) + " RETURNING id), b AS (" + insert(second) +
                " RETURNING id) SELECT count(DISTINCT id) FROM (TABLE a UNION ALL TABLE b) AS ids",
            {},
            {.events = static_cast<long>(count)},
            std::to_string(count)};
}

Piece Doors::copy(Random &random, int most)
{
    const auto made = rows(random, most);
    Piece piece{"COPY", std::string("COPY telemetry.system_telemetry ") + columns + " FROM STDIN"};
    piece.counts.events = static_cast<long>(made.size());
    piece.lines = written(made, component_, "", as_copy);
    return piece;
}

Piece Doors::log_usage(Random &random)
{
    return {"log_usage()",
            "SELECT telemetry.log_usage($1, 'torture', $2, 3, 4.5)",
            {component_, std::to_string(random.between(0, 100))},
            {.events = 0, .usage = 1}};
}

Piece Doors::log_history(Random &random)
{
    return {"log_history()",
            "SELECT telemetry.log_history('user', $2, $1)",
            {component_, std::string(static_cast<std::size_t>(random.between(1, 3'000)), 'x')},
            {.events = 0, .history = 1}};
}

Piece Doors::events(Random &random, int most)
{
    switch (random.between(0, 8)) {
    case 0:
        return log_one(random);
    case 1:
        return log_load(random);
    case 2:
        return log_thought(random);
    case 3:
        return insert_one(random);
    case 4:
        return insert_nested(random, most);
    case 5:
        return log_batch(random, most);
    case 6:
        return copy(random, most);
    default:
        return insert_rows(random, most);
    }
}

Piece Doors::any(Random &random, int most)
{
    const int kind = random.between(0, 9);
    return kind == 0 ? log_usage(random) : kind == 1 ? log_history(random) : events(random, most);
}

} // namespace gravitas::telemetry::torture
