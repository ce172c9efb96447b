#include "health.hpp"

#include "json.hpp"
#include "parameters.hpp"

#include <utility>

namespace gravitas::telemetry::http {

namespace {

bool is_all_ok(const Result &status)
{
    for (int row = 0; row < status.rows(); ++row) {
        if (status.is_null(row, 2) || status.text(row, 2) != "t")
            return false;
    }
    return true;
}

// As it is as long as nothing was found out.
struct Health {
    const char *status = "unavailable";
    bool has_database = false;
    std::string versions = R"("extension_version":null,"server_version":null)";
    std::string maintenance = "[]";
    std::string error = {};
};

void look(Pool &pool, Health &health)
{
    const Result versions = pool.query(
        "SELECT (SELECT extversion FROM pg_extension WHERE extname = 'gravitas_telemetry') AS extension_version,"
        " current_setting('server_version') AS server_version");
    health.has_database = true;
    std::string object;
    Keys(versions).append_row(object, versions, 0);
    health.versions = object.substr(1, object.size() - 2);
    const Result status = pool.query("SELECT item, value, is_ok, hint FROM telemetry.status");
    health.maintenance.clear();
    append_rows(health.maintenance, status);
    health.status = is_all_ok(status) ? "ok" : "degraded";
}

} // namespace

Answer answer_health(Pool &pool, const httplib::Params &given)
{
    const Parameters parameters(given, {});
    Health health;
    Answer answer;
    try {
        look(pool, health);
    } catch (const Refusal &refusal) {
        answer = refusal.answer();
        answer.status = 503;
        health.error = "," + answer.body.substr(1, answer.body.size() - 2);
    }
    answer.body = std::string(R"({"status":")") + health.status + R"(","database":)" +
                  (health.has_database ? "true" : "false") + ',' + health.versions + R"(,"maintenance":)" +
                  health.maintenance + health.error + '}';
    return answer;
}

} // namespace gravitas::telemetry::http
