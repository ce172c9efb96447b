// A persistent connection, and how long its statements take.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;

namespace bench {

// Connects as the PG* environment says. Everything throws std::runtime_error with the server's message.
class Connection {
public:
    explicit Connection(const std::string &database);

    // Statements go as text, so that each is planned anew.
    void run(const std::string &sql);
    std::string value(const std::string &sql); // of the first row and column
    double number(const std::string &sql);
    double milliseconds(const std::string &sql); // the round trip, rows included

    void prepare(const std::string &name, const std::string &sql);
    void run_prepared(const std::string &name, const std::vector<std::string> &parameters);

    // Parameters as their types' binary formats; the first value of the answer, empty where it has no row.
    std::string run_binary(const std::string &name, const std::vector<std::string_view> &parameters);

    // COPY … FROM STDIN: the data may come in any pieces.
    void start_copy(const std::string &sql);
    void copy(std::string_view data);
    void finish_copy();
    double copy_milliseconds(const std::string &sql, std::string_view data);

    // A statement that runs while this program does something else.
    void start(const std::string &sql);
    bool is_running();
    void finish();

    // CPU time of the backend so far, in ms; nothing where the kernel does not tell.
    std::optional<double> cpu_milliseconds();

private:
    friend class Pipeline;
    struct Finish {
        void operator()(PGconn *connection) const;
        void operator()(PGresult *result) const;
    };
    using Result = std::unique_ptr<PGresult, Finish>;

    Result checked(PGresult *result);

    std::unique_ptr<PGconn, Finish> connection_;
};

// CPU time of the process so far, if it has one thread; nothing where the kernel does not tell.
std::optional<double> cpu_milliseconds_of(int process);

// Creates the database, with the extension and with vacuum and statistics as the bench takes them.
void create_database(const std::string &name);
// A copy of a database to which nobody is connected.
void copy_database(const std::string &original, const std::string &name);
void drop_database(const std::string &name);

} // namespace bench
