#include "torture/stage.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <regex>

namespace gravitas::telemetry::torture {

namespace {

constexpr std::size_t most_recent = 400;

// Seconds since the program began.
std::string time_now()
{
    static const auto start = start_timer();
    char text[32];
    std::snprintf(text, sizeof text, "%9.3f", measure_latency(start));
    return text;
}

} // namespace

void Story::tell(const std::string &actor, const std::string &what)
{
    const std::lock_guard lock(mutex_);
    recent_.push_back(time_now() + " " + actor + ": " + what.substr(0, 300));
    if (recent_.size() > most_recent)
        recent_.pop_front();
}

void Story::differ(const std::string &what)
{
    const std::lock_guard lock(mutex_);
    if (difference_.empty())
        difference_ = time_now() + " " + what;
}

std::string Story::difference() const
{
    const std::lock_guard lock(mutex_);
    return difference_;
}

void Story::print_recent() const
{
    const std::lock_guard lock(mutex_);
    for (const auto &line : recent_)
        std::printf("%s\n", line.c_str());
}

void Story::count(const std::string &kind, const std::string &what, std::uint64_t times)
{
    const std::lock_guard lock(mutex_);
    counts_[kind][what] += times;
}

std::uint64_t Story::counted(const std::string &kind) const
{
    const std::lock_guard lock(mutex_);
    std::uint64_t sum = 0;
    if (const auto found = counts_.find(kind); found != counts_.end()) {
        for (const auto &[what, times] : found->second)
            sum += times;
    }
    return sum;
}

void Story::print_counts() const
{
    const std::lock_guard lock(mutex_);
    for (const auto &[kind, counts] : counts_) {
        for (const auto &[what, times] : counts)
            std::printf("%-8s %-40s %12llu\n", kind.c_str(), what.c_str(), static_cast<unsigned long long>(times));
    }
}

void Story::will_kill(pid_t process)
{
    const std::lock_guard lock(mutex_);
    killed_.insert(process);
}

std::string Story::complaint_of_the_log()
{
    static const std::regex ended(R"(\(PID (\d+)\) was terminated by signal 9)");
    const std::lock_guard lock(mutex_);
    std::ifstream log(std::getenv("GRAVITAS_PG_LOG"));
    log.seekg(log_read_);
    for (std::string line; std::getline(log, line) && !log.eof();) {
        log_read_ = log.tellg();
        std::smatch match;
        if (std::regex_search(line, match, ended) && killed_.count(std::stoi(match[1])) > 0)
            continue;
        for (const char *const sign : {"terminated by signal", "PANIC:", "TRAP:"}) {
            if (line.find(sign) != std::string::npos)
                return line;
        }
    }
    return {};
}

void Stage::pause(Random &random, int most_ms) const
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(random.between(0, most_ms));
    while (goes_on() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(end - std::chrono::steady_clock::now(), 50ms));
}

bool at_last(const std::function<bool()> &condition)
{
    for (int patience = 0; patience < 6; ++patience) {
        if (test::eventually(condition))
            return true;
    }
    return false;
}

Session &Link::session()
{
    if (session_)
        return *session_;
    std::string problem;
    const bool is_in = at_last([&] {
        try {
            session_.emplace(stage_.database.conninfo() + (role_.empty() ? "" : " user=" + role_));
        } catch (const SqlError &error) {
            problem = error.what();
        }
        return session_.has_value();
    });
    if (!is_in)
        throw Difference("the server does not come back: " + problem);
    return *session_;
}

bool is_trouble(const SqlError &error)
{
    const std::string &code = error.sqlstate();
    return (error.is_lost() && (code.empty() || code.starts_with("57P"))) || code == "53100";
}

} // namespace gravitas::telemetry::torture
