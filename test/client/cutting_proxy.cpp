#include "cutting_proxy.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace gravitas::telemetry::test {

namespace {

std::string server_directory(Session &session)
{
    const char *const host = std::getenv("PGHOST");
    if (host != nullptr && host[0] == '/')
        return host;
    const std::string directories = session.value("SHOW unix_socket_directories");
    return directories.substr(0, directories.find(','));
}

sockaddr_un address_of(const std::string &path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw std::runtime_error("path of a socket is too long: " + path);
    std::memcpy(address.sun_path, path.c_str(), path.size());
    return address;
}

bool is_ready(int descriptor)
{
    pollfd poll_one{.fd = descriptor, .events = POLLIN, .revents = 0};
    return poll(&poll_one, 1, 20) > 0;
}

} // namespace

CuttingProxy::CuttingProxy(const Database &database)
{
    auto session = database.session();
    const std::string port = session.value("SHOW port");
    server_ = server_directory(session) + "/.s.PGSQL." + port;
    const sockaddr_un address = address_of(directory_.path() + "/.s.PGSQL." + port);
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener_, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 || listen(listener_, 8) != 0)
        throw std::runtime_error("no proxy");
    conninfo_ = "host=" + directory_.path() + " port=" + port + " " + database.conninfo();
    thread_ = std::thread([this] { run(); });
}

CuttingProxy::~CuttingProxy()
{
    stopping_ = true;
    thread_.join();
    ::close(listener_);
}

void CuttingProxy::cut_after(Direction direction, std::int64_t bytes)
{
    was_cut_ = false;
    direction_ = direction;
    left_ = bytes;
}

void CuttingProxy::run()
{
    while (!stopping_) {
        if (!is_ready(listener_))
            continue;
        const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_un address = address_of(server_);
        if (client >= 0 && !closed_ &&
            connect(server, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0)
            pass_on(client, server);
        ::close(client);
        ::close(server);
    }
}

void CuttingProxy::pass_on(int client, int server)
{
    while (!stopping_ && !closed_) {
        pollfd both[2] = {{.fd = client, .events = POLLIN, .revents = 0},
                          {.fd = server, .events = POLLIN, .revents = 0}};
        if (poll(both, 2, 20) <= 0)
            continue;
        if (both[0].revents != 0 && !move_some(client, server, to_server))
            return;
        if (both[1].revents != 0 && !move_some(server, client, to_client))
            return;
    }
}

// False at the end of the connection, also where it was cut.
bool CuttingProxy::move_some(int from, int to, Direction direction)
{
    char bytes[8192];
    const ssize_t read = recv(from, bytes, sizeof bytes, 0);
    if (read <= 0)
        return false;
    std::int64_t most = read;
    bool cuts = false;
    if (std::int64_t left = left_; left >= 0 && direction_ == direction) {
        cuts = left <= read;
        most = std::min<std::int64_t>(left, read);
        left_ = cuts ? -1 : left - read;
    }
    for (std::int64_t sent = 0; sent < most;) {
        const ssize_t written = send(to, bytes + sent, static_cast<std::size_t>(most - sent), MSG_NOSIGNAL);
        if (written <= 0)
            return false;
        sent += written;
    }
    was_cut_ = was_cut_ || cuts;
    return !cuts;
}

} // namespace gravitas::telemetry::test
