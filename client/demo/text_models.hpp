// The work that the demo measures: three language models of three sizes, built from a corpus and asked for text.

#pragma once

#include <gravitas/telemetry.hpp>

#include <filesystem>

namespace demo {

// Debian's licence texts, which every installation carries.
inline constexpr const char *default_corpus = "/usr/share/common-licenses";

// Builds and asks the models, logs every load and every answer, and says on stdout what it does.
// Throws std::runtime_error where the folder holds no text to learn from.
void run_text_models(gravitas::telemetry::Client &client, const std::filesystem::path &corpus_folder);

} // namespace demo
