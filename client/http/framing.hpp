// Where a request ends, found before anything else looks at it. Strict: what two readers could understand in two ways
// is refused.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gravitas::telemetry::http {

inline constexpr std::size_t most_line_bytes = 8000; // of the first line
inline constexpr std::size_t most_head_bytes = 8000; // of all other lines
inline constexpr std::size_t most_body_bytes = 1024 * 1024;

struct Frame {
    enum class State { incomplete, complete, refused };
    State state = State::incomplete;
    std::size_t head_bytes = 0; // up to and with the empty line
    std::size_t body_bytes = 0;
    int status = 0; // of a refusal
    const char *reason = "";
};

// Of all that a peer has sent since its last request.
Frame frame_of(std::string_view received);

// The head without the lines of a header; name in lower case.
std::string without_header(std::string_view head, std::string_view name);

} // namespace gravitas::telemetry::http
