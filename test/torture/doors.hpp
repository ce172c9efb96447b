// What a session may store by, each door a statement made at random.

#pragma once

#include "torture/rows.hpp"

namespace gravitas::telemetry::torture {

struct Counts {
    long events = 0;
    long usage = 0;
    long history = 0;
};

// A statement that stores something.
struct Piece {
    std::string door;
    std::string sql;
    std::vector<std::string> parameters = {};
    Counts counts = {.events = 1};
    std::string answer = {}; // empty: any id
    std::string lines = {};  // of a COPY
};

// The statements of one component. Its values are numbers that it never had before, so that the highest one that is
// stored tells which of them have committed, also when the events are gone.
class Doors {
public:
    explicit Doors(std::string component) : component_(std::move(component)) {}

    // Of events; the last one of them has the highest value so far.
    Piece events(Random &random, int most);
    Piece log_one(Random &random);
    // Of events, or of another table.
    Piece any(Random &random, int most);
    std::vector<Row> rows(Random &random, int most);
    [[nodiscard]] long highest() const { return number_; }

private:
    long next() { return ++number_; }
    Piece log_load(Random &random);
    Piece log_thought(Random &random);
    Piece log_batch(Random &random, int most);
    Piece insert_one(Random &random);
    Piece insert_rows(Random &random, int most);
    Piece insert_nested(Random &random, int most);
    Piece copy(Random &random, int most);
    Piece log_usage(Random &random);
    Piece log_history(Random &random);
    [[nodiscard]] std::string insert(const std::vector<Row> &made) const;

    std::string component_;
    long number_ = 0;
};

} // namespace gravitas::telemetry::torture
