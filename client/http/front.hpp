// HTTP as such: parses requests and writes answers with cpp-httplib, whose own sockets and threads are not used.

#pragma once

#include "answers.hpp"
#include "workers.hpp"

#include <httplib.h>

#include <functional>
#include <memory>

namespace gravitas::telemetry::http {

class Front : public Answerer {
public:
    // Answers a request, or throws a Refusal.
    using Handler = std::function<Answer(const httplib::Request &)>;
    explicit Front(Handler handler);
    ~Front() override;

    Reply answer(const std::string &head, std::string body) override;
    std::string refuse(int status, const std::string &reason) override;

private:
    class Library;
    Handler handler_;
    std::unique_ptr<Library> library_;
};

} // namespace gravitas::telemetry::http
