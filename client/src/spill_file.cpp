#include "spill_file.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <random>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace gravitas::telemetry {

namespace {

constexpr std::string_view suffix = ".spill";
constexpr std::string_view successor_suffix = ".spill-new";

[[noreturn]] void fail_at(const std::string &path, int error)
{
    throw std::system_error(error, std::generic_category(), "spill file \"" + path + '"');
}

std::string new_name()
{
    std::random_device random;
    char name[33];
    std::snprintf(name, sizeof name, "%08x%08x%08x%08x", random(), random(), random(), random());
    return name;
}

// Whether the path still leads to this file: its owner may have removed or replaced it before it was locked here.
bool is_named(const struct stat &file, const std::string &path)
{
    struct stat named;
    return stat(path.c_str(), &named) == 0 && file.st_dev == named.st_dev && file.st_ino == named.st_ino;
}

} // namespace

// ---- Which file is whose -------------------------------------------------------------------------------

// Nothing where another process has it or it is no longer there, and for other reasons, which errno tells.
std::optional<SpillFile> SpillFile::lock(const std::string &path, int flags)
{
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC | flags, 0600);
    if (descriptor < 0)
        return std::nullopt;
    struct stat file;
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0 && fstat(descriptor, &file) == 0) {
        if (is_named(file, path))
            return SpillFile(path, descriptor, static_cast<std::uint64_t>(file.st_size));
        errno = ENOENT;
    }
    const int error = errno;
    ::close(descriptor);
    errno = error;
    return std::nullopt;
}

SpillFile SpillFile::create_with(const std::string &directory, std::string_view name_suffix)
{
    for (;;) {
        // Before it is locked, another process may take it for an orphan; then another one.
        const std::string path = directory + '/' + new_name() + std::string(name_suffix);
        if (std::optional<SpillFile> file = lock(path, O_CREAT | O_EXCL))
            return std::move(*file);
        if (errno != EWOULDBLOCK && errno != ENOENT)
            fail_at(path, errno);
    }
}

SpillFile SpillFile::create(const std::string &directory) { return create_with(directory, suffix); }

std::optional<SpillFile> SpillFile::adopt(const std::string &directory)
{
    std::error_code none;
    for (const auto &entry : std::filesystem::directory_iterator(directory, none)) {
        const std::filesystem::path suffix_of_it = entry.path().extension();
        if (suffix_of_it != suffix && suffix_of_it != successor_suffix)
            continue;
        std::optional<SpillFile> file = lock(entry.path(), 0);
        if (file && suffix_of_it == suffix)
            return file;
        if (file) // the process ended while it wrote it
            file->remove();
    }
    return std::nullopt;
}

SpillFile SpillFile::create_successor(const SpillFile &file)
{
    const std::filesystem::path directory = std::filesystem::path(file.path_).parent_path();
    return create_with(directory, successor_suffix);
}

SpillFile::SpillFile(SpillFile &&other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_)
{
}

void SpillFile::close() noexcept
{
    if (descriptor_ >= 0)
        ::close(std::exchange(descriptor_, -1));
}

void SpillFile::remove() noexcept
{
    if (descriptor_ >= 0)
        ::unlink(path_.c_str());
    close();
}

void SpillFile::replace_by(SpillFile &&other)
{
    if (fdatasync(other.descriptor_) != 0 || std::rename(other.path_.c_str(), path_.c_str()) != 0)
        fail();
    close();
    descriptor_ = std::exchange(other.descriptor_, -1);
    size_ = other.size_;
}

// ---- What is in it -------------------------------------------------------------------------------------

std::vector<std::uint8_t> SpillFile::read(Place place) const
{
    std::vector<std::uint8_t> bytes(place.length);
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        const ssize_t got =
            pread(descriptor_, bytes.data() + filled, bytes.size() - filled, static_cast<off_t>(place.offset + filled));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            fail();
        if (got == 0)
            break;
        filled += static_cast<std::size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
}

SpillFile::Place SpillFile::append(std::span<const std::uint8_t> bytes)
{
    try {
        write_at_end(bytes);
    } catch (...) {
        // If it cannot be taken back, its checksum tells that it is torn.
        static_cast<void>(ftruncate(descriptor_, static_cast<off_t>(size_)) == 0);
        throw;
    }
    return {std::exchange(size_, size_ + bytes.size()), bytes.size()};
}

void SpillFile::write_at_end(std::span<const std::uint8_t> bytes)
{
    std::uint64_t offset = size_;
    while (!bytes.empty()) {
        const ssize_t written = pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            fail_at(path_, written < 0 ? errno : ENOSPC);
        offset += static_cast<std::uint64_t>(written);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void SpillFile::cut(std::uint64_t size)
{
    if (ftruncate(descriptor_, static_cast<off_t>(size)) != 0)
        fail();
    size_ = size;
}

void SpillFile::fail() const { fail_at(path_, errno); }

} // namespace gravitas::telemetry
