#include "answers.hpp"

#include "json.hpp"

namespace gravitas::telemetry::http {

Answer Refusal::answer() const
{
    std::string body = R"({"error":{"message":)";
    append_string(body, what());
    if (!hint_.empty()) {
        body += R"(,"hint":)";
        append_string(body, hint_);
    }
    if (!sqlstate_.empty()) {
        body += R"(,"sqlstate":)";
        append_string(body, sqlstate_);
    }
    body += "}}";
    return {status_, std::move(body), "application/json", headers_};
}

} // namespace gravitas::telemetry::http
