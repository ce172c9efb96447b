#include "log.hpp"

#include "json.hpp"
#include "parameters.hpp"

namespace gravitas::telemetry::http {

namespace {

// No page of another site can send this type without asking first.
void require_json(const httplib::Request &request)
{
    const std::string type = request.get_header_value("Content-Type");
    if (type.substr(0, type.find(';')) != "application/json")
        throw Refusal(415, "content type \"" + type + "\" is not served here", "Send application/json.");
    if (request.body.find('\0') != std::string::npos || !is_utf8(request.body))
        throw Refusal(400, "the body is not UTF-8 text");
}

} // namespace

Answer answer_log(Pool &pool, const httplib::Request &request)
{
    const Parameters parameters(request.params, {});
    require_json(request);
    const Result result = pool.write(
        "SELECT b.stored, b.refused, b.refused #>> '{0,reason}', b.refused #>> '{0,sqlstate}'"
        " FROM (SELECT $1::jsonb) AS g (given),"
        " telemetry.log_batch(CASE jsonb_typeof(g.given) WHEN 'array' THEN g.given ELSE jsonb_build_array(g.given) END,"
        " 'skip') AS b",
        {request.body});
    const bool is_nothing_stored = result.text(0, 0) == "0" && !result.is_null(0, 2);
    if (is_nothing_stored)
        throw Refusal(400, std::string(result.text(0, 2)), "Fields are the columns of telemetry.system_telemetry.",
                      std::string(result.text(0, 3)));
    std::string body = R"({"stored":)";
    append_value(body, result, 0, 0);
    body += R"(,"refused":)";
    append_value(body, result, 0, 1);
    return {200, body + '}'};
}

} // namespace gravitas::telemetry::http
