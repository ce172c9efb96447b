// Who is answered at all: whoever asks by a name of this server (so that a page from elsewhere whose name was made to
// lead here is not), and knows the token where there is one.

#pragma once

#include "options.hpp"

#include <httplib.h>

#include <set>
#include <string>

namespace gravitas::telemetry::http {

class Guard {
public:
    explicit Guard(const Options &options);

    // Throws a Refusal: 400 or 403 for the Host, 401 for the token.
    void check_host(const httplib::Request &request) const;
    void check_token(const httplib::Request &request) const;
    // Of what changes something: not by what a browser sends by itself, the password it remembers.
    void check_bearer(const httplib::Request &request) const;

private:
    [[nodiscard]] bool is_token(const std::string &given) const;

    std::string token_;
    std::set<std::string> hosts_;
};

} // namespace gravitas::telemetry::http
