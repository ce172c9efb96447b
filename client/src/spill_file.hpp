#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gravitas::telemetry {

// A file of batches, one after the other, as docs/batch-format.md says. It is its process's, by a lock that goes when
// the process does: then it is an orphan, which the next one adopts. What is written outlives the process; it is forced
// to disk by replace_by() only. Not thread-safe.
//
// Members throw std::system_error for what the file system says, and change nothing then.
class SpillFile {
public:
    struct Place {
        std::uint64_t offset;
        std::size_t length;
    };

    // A new one.
    static SpillFile create(const std::string &directory);
    // One that a process which has ended left behind; nothing where there is none.
    static std::optional<SpillFile> adopt(const std::string &directory);
    // One to take another's place, which nobody adopts before that.
    static SpillFile create_successor(const SpillFile &file);

    SpillFile(SpillFile &&other) noexcept;
    SpillFile &operator=(SpillFile &&) = delete;
    ~SpillFile() { close(); }

    [[nodiscard]] const std::string &path() const noexcept { return path_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    // Fewer bytes where the file ends before.
    [[nodiscard]] std::vector<std::uint8_t> read(Place place) const;
    Place append(std::span<const std::uint8_t> bytes);
    void cut(std::uint64_t size);
    // Takes over the content of another file of the same directory, in one step, also for whoever looks after a crash.
    void replace_by(SpillFile &&other);
    void remove() noexcept;
    // Without a trace: for the child of a fork, whose parent has it still.
    void close() noexcept;

private:
    SpillFile(std::string path, int descriptor, std::uint64_t size) noexcept
        : path_(std::move(path)), descriptor_(descriptor), size_(size)
    {
    }
    static SpillFile create_with(const std::string &directory, std::string_view name_suffix);
    static std::optional<SpillFile> lock(const std::string &path, int flags);
    void write_at_end(std::span<const std::uint8_t> bytes);
    [[noreturn]] void fail() const;

    std::string path_;
    int descriptor_ = -1;
    std::uint64_t size_ = 0;
};

} // namespace gravitas::telemetry
