// A disk that can be full.

#pragma once

#include "crash/faults.hpp"

namespace gravitas::telemetry::test {

// A tablespace on a small disk of its own. It is not that of the whole data directory: a server that cannot write its
// WAL ends, whatever an extension does.
class SmallDisk {
public:
    // Not mounted where that is not allowed: see problem().
    SmallDisk(const Server &server, std::size_t megabytes);
    ~SmallDisk();
    SmallDisk(const SmallDisk &) = delete;
    SmallDisk &operator=(const SmallDisk &) = delete;

    [[nodiscard]] const std::string &problem() const { return problem_; }
    // Moves the database there, to which nobody is connected.
    void take(const Database &database) const;
    // Leaves so much of it free.
    void fill(std::size_t free_bytes) const;
    void empty() const;

private:
    [[nodiscard]] std::string ballast() const { return directory_.path() + "/ballast"; }

    TemporaryDirectory directory_;
    std::string problem_;
};

} // namespace gravitas::telemetry::test
