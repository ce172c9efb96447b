#include "waker.hpp"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

namespace gravitas::telemetry {

Waker::Waker()
{
    int ends[2];
    if (pipe(ends) != 0)
        throw std::system_error(errno, std::generic_category(), "could not create a pipe");
    for (const int end : ends) {
        fcntl(end, F_SETFD, FD_CLOEXEC);
        fcntl(end, F_SETFL, O_NONBLOCK);
    }
    read_end_ = ends[0];
    write_end_ = ends[1];
}

Waker::~Waker()
{
    ::close(read_end_);
    ::close(write_end_);
}

void Waker::signal() noexcept
{
    const int saved = errno;
    // A full pipe is a signal already.
    while (write(write_end_, "", 1) < 0 && errno == EINTR) {
    }
    errno = saved;
}

void Waker::wait_until(Deadline deadline) noexcept
{
    pollfd fd{.fd = read_end_, .events = POLLIN, .revents = 0};
    poll(&fd, 1, poll_timeout(deadline));
    clear();
}

void Waker::clear() noexcept
{
    char bytes[64];
    while (read(read_end_, bytes, sizeof bytes) > 0) {
    }
}

} // namespace gravitas::telemetry
