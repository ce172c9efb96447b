// What goes back to whoever asked.

#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gravitas::telemetry::http {

struct Answer {
    int status = 200;
    std::string body;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers = {};
};

// A question that is not answered, and why: thrown by whoever finds that out, and made an answer in one place.
class Refusal : public std::runtime_error {
public:
    Refusal(int status, const std::string &message, std::string hint = {}, std::string sqlstate = {})
        : std::runtime_error(message), status_(status), hint_(std::move(hint)), sqlstate_(std::move(sqlstate))
    {
    }

    // The same with one more header.
    Refusal with(std::string header, std::string value) &&
    {
        headers_.emplace_back(std::move(header), std::move(value));
        return std::move(*this);
    }

    [[nodiscard]] Answer answer() const;
    [[nodiscard]] int status() const { return status_; }

private:
    int status_;
    std::string hint_;
    std::string sqlstate_;
    std::vector<std::pair<std::string, std::string>> headers_;
};

} // namespace gravitas::telemetry::http
