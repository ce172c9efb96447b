// The server's disk is full in the middle of a pipeline, and has room later.

#include "crash/faults.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/mount.h>

namespace gravitas::telemetry::test {

namespace {

// A tablespace on a small disk of its own.
class SmallDisk {
public:
    static constexpr std::size_t megabytes = 32;

    // Not mounted where that is not allowed: see problem().
    explicit SmallDisk(const Server &server)
    {
        if (std::getenv("GRAVITAS_OWN_MOUNTS") == nullptr) {
            problem_ = "no mount namespace";
            return;
        }
        const std::string options =
            "mode=700,size=" + std::to_string(megabytes) + "m,uid=" + std::to_string(server.owner());
        if (mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, options.c_str()) != 0) {
            problem_ = std::string("mount: ") + std::strerror(errno);
            return;
        }
        Session("dbname=postgres").query("CREATE TABLESPACE small LOCATION '" + directory_.path() + "'");
    }

    ~SmallDisk()
    {
        if (!problem_.empty())
            return;
        try {
            Session("dbname=postgres").query("DROP TABLESPACE small");
        } catch (const std::exception &error) {
            ADD_FAILURE() << error.what();
        }
        umount2(directory_.path().c_str(), MNT_DETACH);
    }
    SmallDisk(const SmallDisk &) = delete;
    SmallDisk &operator=(const SmallDisk &) = delete;

    [[nodiscard]] const std::string &problem() const { return problem_; }
    // Leaves so much of it free.
    void fill(std::size_t free_bytes) const
    {
        const std::size_t free = std::filesystem::space(directory_.path()).available;
        ASSERT_GT(free, free_bytes);
        std::ofstream(ballast()) << std::string(free - free_bytes, 'x');
        EXPECT_LE(std::filesystem::space(directory_.path()).available, free_bytes);
    }
    void empty() const { std::filesystem::remove(ballast()); }

private:
    [[nodiscard]] std::string ballast() const { return directory_.path() + "/ballast"; }

    TemporaryDirectory directory_;
    std::string problem_;
};

} // namespace

TEST(DiskFull, delays_events_only)
{
    const Server server;
    const SmallDisk disk(server);
    if (!disk.problem().empty())
        GTEST_SKIP() << "no small disk can be mounted: " << disk.problem();
    const Database database;
    Session("dbname=postgres").query("ALTER DATABASE " + database.name() + " SET TABLESPACE small");
    make_days(database);
    Errors errors;
    Client client{{.conninfo = database.conninfo(),
                   .on_full = OnFull::block,
                   .batch_events = 20,
                   .batch_age = 1ms,
                   .reconnect_max = 50ms,
                   .on_error = errors.listener()}};
    Writers writers(client, "writer", 4);
    ASSERT_TRUE(eventually([&] { return client.account().stored > 0; }));
    disk.fill(256 << 10);
    const auto is_full = [](const Error &error) { return error.sqlstate() == "53100"; };
    EXPECT_TRUE(eventually([&] {
        const auto all = errors.all();
        return std::any_of(all.begin(), all.end(), is_full);
    }));
    // Some were stored before the disk was full; the rest waits, in the application too.
    EXPECT_TRUE(eventually([&] { return client.account().queued > 1'000; }));
    EXPECT_LT(seconds_of([&] { EXPECT_FALSE(client.flush(100ms)); }), 5);
    disk.empty();

    writers.stop();
    EXPECT_TRUE(client.flush(patience));
    EXPECT_TRUE(is_account(client, writers.kept(), 0, 0, 0));
    EXPECT_EQ(writers.wrong_events(database), 0);
    EXPECT_TRUE(is_consistent(database));
}

} // namespace gravitas::telemetry::test
