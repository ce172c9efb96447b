// Files that are part of the program.

#pragma once

#include "answers.hpp"

#include <httplib.h>

#include <string>
#include <string_view>

namespace gravitas::telemetry::http {

struct Asset {
    const char *name; // nullptr behind the last one
    const char *begin;
    const char *end;
};

// nullptr where there is none of this name.
const Asset *find_asset(std::string_view name);

// The file, or 304 where whoever asks has it already.
Answer answer_asset(const Asset &asset, const httplib::Request &request);

} // namespace gravitas::telemetry::http
