#include "routes.hpp"

#include "assets.hpp"
#include "health.hpp"
#include "log.hpp"
#include "questions.hpp"

#include <map>
#include <string_view>

namespace gravitas::telemetry::http {

namespace {

using Question = Answer (*)(Pool &, const httplib::Params &);

const std::map<std::string_view, Question> questions = {
    {"/telemetry/efficiency", answer_efficiency}, {"/telemetry/trend", answer_trend},
    {"/telemetry/series", answer_series},         {"/telemetry/60day", answer_60day},
    {"/telemetry/footprint", answer_footprint},   {"/telemetry/events", answer_events},
    {"/telemetry/alerts", answer_alerts},         {"/v1/telemetry/events", answer_events},
    {"/v1/telemetry/stats", answer_stats},        {"/health", answer_health},
};

constexpr std::string_view log_path = "/v1/telemetry/log";
constexpr std::string_view metrics_path = "/metrics";
constexpr std::string_view web_prefix = "/web/";

const Asset *asset_at(std::string_view path)
{
    if (path == "/")
        return find_asset("index.html");
    if (path == "/openapi.json")
        return find_asset("openapi.json");
    return path.starts_with(web_prefix) ? find_asset(path.substr(web_prefix.size())) : nullptr;
}

void require_method(const httplib::Request &request, std::string_view allowed)
{
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (allowed == "POST" ? request.method != "POST" : !reads)
        throw Refusal(405, "method \"" + request.method + "\" is not served here").with("Allow", std::string(allowed));
}

} // namespace

Routes::Routes(const Options &options)
    : guard_(options), pool_(options.conninfo, options.connections, options.statement_timeout),
      enable_log_(options.enable_log)
{
}

Answer Routes::answer(const httplib::Request &request)
{
    guard_.check_host(request);
    guard_.check_token(request);
    if (request.path == log_path && enable_log_) {
        require_method(request, "POST");
        guard_.check_bearer(request);
        return answer_log(pool_, request);
    }
    const auto question = questions.find(request.path);
    const Asset *const asset = asset_at(request.path);
    if (question == questions.end() && asset == nullptr && request.path != metrics_path)
        throw Refusal(404, "there is nothing at \"" + request.path + "\"",
                      request.path == log_path ? "Start with --enable-log and --token-file to log here."
                                               : "/openapi.json lists what there is.");
    require_method(request, "GET, HEAD");
    if (asset != nullptr)
        return answer_asset(*asset, request);
    return question != questions.end() ? question->second(pool_, request.params) : metrics_.answer(pool_, request);
}

} // namespace gravitas::telemetry::http
