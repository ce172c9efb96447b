#pragma once

#include <string_view>

namespace gravitas::telemetry {

// Of telemetry.ingest(), see docs/batch-format.md.
inline constexpr std::string_view sqlstate_out_of_sequence = "GT001";
inline constexpr std::string_view sqlstate_too_old = "GT002";

// The statement failed for what is in its rows: it will fail again, until the bad ones are left out.
[[nodiscard]] bool is_data_error(std::string_view sqlstate) noexcept;

// The same statement may succeed later, with nobody's help: a lost connection, a restart, a lock, a full disk.
[[nodiscard]] bool is_transient(std::string_view sqlstate) noexcept;

// What is not there without CREATE EXTENSION: the schema, the view, a function.
[[nodiscard]] bool is_missing_object(std::string_view sqlstate) noexcept;

} // namespace gravitas::telemetry
