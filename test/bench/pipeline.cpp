#include "pipeline.hpp"

#include <libpq-fe.h>

#include <stdexcept>

namespace bench {

Pipeline::Pipeline(Connection &connection, std::string statement, int depth, OnAnswer on_answer)
    : connection_(connection), statement_(std::move(statement)), depth_(depth), on_answer_(std::move(on_answer))
{
    PGconn *const handle = connection_.connection_.get();
    // What does not fit into the socket waits in libpq, while the next batch is made.
    if (PQenterPipelineMode(handle) == 0 || PQsetnonblocking(handle, 1) != 0)
        throw std::runtime_error(PQerrorMessage(handle));
}

Pipeline::~Pipeline()
{
    PGconn *const handle = connection_.connection_.get();
    PQsetnonblocking(handle, 0);
    PQexitPipelineMode(handle);
}

void Pipeline::send(std::string_view parameter)
{
    while (under_way_ >= depth_)
        receive();
    PGconn *const handle = connection_.connection_.get();
    const char *const value = parameter.data();
    const int length = static_cast<int>(parameter.size()), binary = 1;
    if (PQsendQueryPrepared(handle, statement_.c_str(), 1, &value, &length, &binary, 0) == 0 ||
        PQpipelineSync(handle) == 0)
        throw std::runtime_error(PQerrorMessage(handle));
    ++under_way_;
}

void Pipeline::finish()
{
    while (under_way_ > 0)
        receive();
}

void Pipeline::receive()
{
    PGconn *const handle = connection_.connection_.get();
    const Connection::Result answer = connection_.checked(PQgetResult(handle));
    const Connection::Result end(PQgetResult(handle)), sync(PQgetResult(handle));
    if (end != nullptr || PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC)
        throw std::runtime_error("no sync point behind an answer");
    --under_way_;
    on_answer_(PQntuples(answer.get()) == 0 ? "" : PQgetvalue(answer.get(), 0, 0));
}

} // namespace bench
