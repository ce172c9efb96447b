// The torture: readers, writers and administrators at random beside a server that is killed, starved and full. What is
// stored must be what was acknowledged, once, and what rollups say must be what the events say; anything else ends it,
// with the seed that repeats its choices.
//
// It goes by chapters, each in a database of its own, every other one of which begins as the former version of the
// extension and is updated under load.

#include "torture/stage.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace gravitas::telemetry::torture {

namespace {

constexpr auto chapter_length = 100s;
using Steady = std::chrono::steady_clock;

std::uint64_t number_from(const char *variable, std::uint64_t otherwise)
{
    const char *const text = std::getenv(variable);
    if (text == nullptr || *text == '\0')
        return otherwise;
    std::uint64_t number = 0;
    const char *const end = text + std::strlen(text);
    const auto [rest, error] = std::from_chars(text, end, number);
    if (error != std::errc() || rest != end)
        throw std::runtime_error(std::string(variable) + " takes a number, not \"" + text + "\"");
    return number;
}

// ---- The database of a chapter ----

// Puts the install scripts of former versions where the server looks for them, and returns the last one's version.
std::string former_version()
{
    Session session("dbname=postgres");
    const std::string folder = session.value("SELECT setting FROM pg_config WHERE name = 'SHAREDIR'") + "/extension/";
    for (const auto &script : std::filesystem::directory_iterator("test/upgrade"))
        std::filesystem::copy_file(script.path(), folder + script.path().filename().string(),
                                   std::filesystem::copy_options::overwrite_existing);
    return session.value("SELECT v.version FROM pg_available_extension_versions AS v JOIN pg_available_extensions AS e "
                         "USING (name) WHERE name = 'gravitas_telemetry' AND v.version <> e.default_version "
                         "ORDER BY string_to_array(v.version, '.')::integer[] DESC LIMIT 1");
}

void furnish(Stage &stage, const std::string &former)
{
    if (stage.disk.problem().empty())
        stage.disk.take(stage.database);
    stage.needs_update = stage.chapter % 2 == 1;
    Session session = stage.database.session();
    session.query("CREATE EXTENSION gravitas_telemetry" + (stage.needs_update ? " VERSION '" + former + "'" : ""));
    for (const char *const role : {"torture_writer", "torture_reader"}) {
        if (session.query("SELECT FROM pg_roles WHERE rolname = $1", {role}).empty())
            session.query(std::string("CREATE ROLE ") + role + " LOGIN");
    }
    session.query("SELECT telemetry.grant_writer('torture_writer')");
    if (stage.chapter % 3 != 0) // now and then all begins in the default partition
        test::make_days(stage.database);
}

// ---- The course of things ----

// One line, every ten seconds or so.
void show_progress(const Stage &stage, Steady::time_point start)
{
    std::fprintf(stderr, "%5llds chapter %d: %llu events, %llu checks, %llu chores, %llu faults\n",
                 static_cast<long long>(std::chrono::floor<std::chrono::seconds>(Steady::now() - start).count()),
                 stage.chapter, static_cast<unsigned long long>(stage.story.counted("door")),
                 static_cast<unsigned long long>(stage.story.counted("check")),
                 static_cast<unsigned long long>(stage.story.counted("chore")),
                 static_cast<unsigned long long>(stage.story.counted("fault")));
}

void wait_until(const Stage &stage, Steady::time_point end, Steady::time_point start)
{
    auto next_line = Steady::now() + 10s;
    while (stage.goes_on() && Steady::now() < end) {
        std::this_thread::sleep_for(50ms);
        if (Steady::now() > next_line) {
            show_progress(stage, start);
            next_line += 10s;
        }
    }
}

void play_chapter(Stage &stage, Steady::time_point end, Steady::time_point start)
{
    std::vector<std::jthread> actors;
    for (const char *const name : {"sql 1", "sql 2", "sql 3"})
        actors.emplace_back(write_by_sql, std::ref(stage), name, "");
    actors.emplace_back(write_by_sql, std::ref(stage), "sql as writer", "torture_writer");
    for (const char *const name : {"client 1", "client 2", "client 3"})
        actors.emplace_back(write_by_client, std::ref(stage), name);
    actors.emplace_back(kill_applications, std::ref(stage), "application");
    actors.emplace_back(check, std::ref(stage), "checker");
    for (const char *const name : {"chores 1", "chores 2"})
        actors.emplace_back(do_chores, std::ref(stage), name);
    actors.emplace_back(make_faults, std::ref(stage), "faults");
    wait_until(stage, end, start);
    stage.is_over = true;
}

void run_chapter(Story &story, const test::Server &server, const test::SmallDisk &disk, std::uint64_t seed, int chapter,
                 const std::string &former, Steady::time_point end, Steady::time_point start)
{
    try {
        const Database database(Database::Extension::missing);
        Stage stage{story, server, disk, database, seed, chapter, {}};
        furnish(stage, former);
        play_chapter(stage, std::min(end, Steady::now() + chapter_length), start);
        if (story.difference().empty())
            check_all(stage);
        show_progress(stage, start);
    } catch (const std::exception &error) {
        story.differ(error.what());
    }
    if (const std::string complaint = story.complaint_of_the_log(); !complaint.empty())
        story.differ("in the server's log: " + complaint);
}

int run(std::uint64_t seed, std::chrono::seconds length)
{
    const auto start = Steady::now();
    const test::Server server;
    const test::SmallDisk disk(server, 2'000);
    if (!disk.problem().empty())
        std::printf("the disk is never full: %s\n", disk.problem().c_str());
    const std::string former = former_version();
    Story story;
    for (int chapter = 1; Steady::now() < start + length && story.difference().empty(); ++chapter)
        run_chapter(story, server, disk, seed, chapter, former, start + length, start);
    story.print_counts();
    if (const std::string difference = story.difference(); !difference.empty()) {
        std::printf("---- what was done last\n");
        story.print_recent();
        std::printf("---- the difference\n%s\n", difference.c_str());
    }
    const double seconds = std::chrono::duration<double>(Steady::now() - start).count();
    std::printf("%.0f seconds, %d differences, seed %llu\n", seconds, story.difference().empty() ? 0 : 1,
                static_cast<unsigned long long>(seed));
    return story.difference().empty() ? 0 : 1;
}

} // namespace

} // namespace gravitas::telemetry::torture

int main()
try {
    using namespace gravitas::telemetry::torture;
    const std::uint64_t seed = number_from("TORTURE_SEED", std::random_device{}());
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    std::fflush(stdout);
    return run(seed, std::chrono::seconds(number_from("TORTURE_SECONDS", 600)));
} catch (const std::exception &error) {
    std::fprintf(stderr, "torture: %s\n", error.what());
    return 1;
}
