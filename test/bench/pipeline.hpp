// libpq's pipeline mode: several executions of one statement under way at once, each ended by a sync point of its own,
// so that each is its own transaction.

#pragma once

#include "database.hpp"

#include <functional>

namespace bench {

class Pipeline {
public:
    using OnAnswer = std::function<void(const std::string &value)>; // the first value of each answer

    // `depth` executions of the prepared statement are under way at the most.
    Pipeline(Connection &connection, std::string statement, int depth, OnAnswer on_answer);
    ~Pipeline();
    Pipeline(const Pipeline &) = delete;
    Pipeline &operator=(const Pipeline &) = delete;

    // Executes the statement with one parameter, in its type's binary format, which may go when the call returns.
    void send(std::string_view parameter);
    // Waits for the answers that are still to come.
    void finish();

private:
    void receive();

    Connection &connection_;
    const std::string statement_;
    const int depth_;
    const OnAnswer on_answer_;
    int under_way_ = 0;
};

} // namespace bench
