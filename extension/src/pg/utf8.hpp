// Text that comes as UTF-8, into the encoding of the database.

#pragma once

#include "pg/prelude.hpp"

namespace gravitas::telemetry::pg {

// The text in the database's encoding; nullptr where it is no UTF-8, or has a character that the encoding lacks.
text *text_from_utf8(std::string_view utf8);

// A JSON value from its text. Raises what is wrong with it.
Jsonb *jsonb_from_utf8(std::string_view utf8);

// Throws core::Error that says why text_from_utf8() gave nothing for the value of `column`.
[[noreturn]] void refuse_text(std::string_view utf8, const char *column);

} // namespace gravitas::telemetry::pg
