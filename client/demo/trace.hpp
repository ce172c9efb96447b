// Recorded measurements of real services, read from files. One format is one file, trace_FORMAT.cpp: it recognises
// its files by their content, reads and checks all of one before anything is logged, and logs its events.

#pragma once

#include <gravitas/telemetry.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace demo {

using Nanoseconds = std::chrono::nanoseconds;
using TimePoint = gravitas::telemetry::Clock::time_point;

struct SourceFile {
    std::filesystem::path path;
    std::string text;
    nlohmann::json document; // of a JSON file; null for any other
};

// What is wrong with a file, and where: "FILE:12: …" or "FILE: call 3: …".
class TraceError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class Trace {
public:
    explicit Trace(std::string component) : component_(std::move(component)) {}
    virtual ~Trace() = default;

    [[nodiscard]] const std::string &component() const noexcept { return component_; } // model, GPU or deployment
    [[nodiscard]] virtual std::size_t size() const noexcept = 0;
    [[nodiscard]] virtual std::string_view unit() const noexcept = 0; // of its size: "calls"
    // How long before the last event of the trace this one was.
    [[nodiscard]] virtual Nanoseconds age(std::size_t event) const = 0;
    // Logs one event, dated as if the last one of the trace were at `end`.
    virtual void log(gravitas::telemetry::Client &client, std::size_t event, TimePoint end) const = 0;

private:
    std::string component_;
};

struct TraceFormat {
    const char *name;
    bool (*recognises)(const SourceFile &file);
    std::unique_ptr<Trace> (*read)(const SourceFile &file);
};

extern const TraceFormat llmperf_format; // calls of hosted models, with latencies
extern const TraceFormat azure_format;   // arrivals of requests, without latencies
extern const TraceFormat vram_format;    // samples of a GPU's memory

struct TraceFiles {
    std::vector<std::unique_ptr<Trace>> traces;
    std::vector<std::filesystem::path> skipped; // in a folder, but no trace that is known
};

// Reads files and, with all below them, folders; a file that is reached twice is read once. Throws TraceError.
TraceFiles read_traces(const std::vector<std::filesystem::path> &paths);

// A figure of a trace; throws TraceError, naming `where`, unless it is a finite number from 0 to `largest`.
double figure(const nlohmann::json &record, const char *key, const std::string &where, double largest = 1e12);
// The same, for a whole number that fits a column of integers.
std::int32_t whole_figure(const nlohmann::json &record, const char *key, const std::string &where);

} // namespace demo
