#include "crash/small_disk.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/mount.h>
#include <unistd.h>

namespace gravitas::telemetry::test {

SmallDisk::SmallDisk(const Server &server, std::size_t megabytes)
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

SmallDisk::~SmallDisk()
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

void SmallDisk::take(const Database &database) const
{
    Session("dbname=postgres").query("ALTER DATABASE " + database.name() + " SET TABLESPACE small");
}

// Others may use what is free meanwhile, so no more is asked for than there is.
void SmallDisk::fill(std::size_t free_bytes) const
{
    const int file = open(ballast().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    std::size_t size = 0;
    for (std::size_t free; (free = std::filesystem::space(directory_.path()).available) > free_bytes;) {
        if (posix_fallocate(file, static_cast<off_t>(size), static_cast<off_t>(free - free_bytes)) != 0)
            break;
        size += free - free_bytes;
    }
    close(file);
}

void SmallDisk::empty() const { std::filesystem::remove(ballast()); }

} // namespace gravitas::telemetry::test
