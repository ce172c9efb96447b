// Writes the seeds of the fuzz corpora: sketches and summaries of every form, as bytes and as text, and batches.
// Usage: seed_corpus DIRECTORY, which gets one directory for each target.

#include "core/batch_writer.hpp"
#include "core/summary.hpp"

#include "../unit/support.hpp"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace {

using namespace gravitas::telemetry::core;

void write_file(const std::filesystem::path &directory, const std::string &name, const char *data, std::size_t size)
{
    std::filesystem::create_directories(directory);
    std::ofstream{directory / name, std::ios::binary}.write(data, static_cast<std::streamsize>(size));
}

template <typename Encodable>
void write_seed(const std::filesystem::path &root, const std::string &type, const std::string &name,
                const Encodable &seed)
{
    const test::Bytes bytes = test::encoded(seed);
    write_file(root / (type + "_bytes"), name, reinterpret_cast<const char *>(bytes.data()), bytes.size());
    const std::string text = test::text_of(seed);
    write_file(root / (type + "_text"), name, text.data(), text.size());
}

void write_sketches(const std::filesystem::path &root, test::Context &memory)
{
    const auto write = [&](const std::string &name, const std::vector<double> &values, std::uint64_t count) {
        Sketch sketch{memory};
        for (const double value : values)
            sketch.add(value, count);
        write_seed(root, "sketch", name, sketch);
    };
    std::vector<double> run;
    for (int i = 0; i < 90; ++i)
        run.push_back(std::exp2(i / 64.0));
    write("empty", {}, 1);
    write("zero", {0}, 1);
    write("one", {12.5}, 1);
    write("mixed", {-1e9, -3, -3, 0, 1e-9, 1250}, 1);
    write("extremes", {-std::numeric_limits<double>::max(), 5e-324, std::numeric_limits<double>::max()}, 1);
    write("dense1", run, 3);
    write("dense2", run, 300);
    write("dense4", run, 70'000);
    write("dense8", run, std::uint64_t{1} << 40);
}

void write_summaries(const std::filesystem::path &root, test::Context &memory)
{
    test::Random random{1};
    for (const std::size_t events : {0, 1, 3, 8, 9, 40}) {
        const Summary summary = test::summary_of(test::random_observations(random, events), memory);
        write_seed(root, "summary", "random" + std::to_string(events), summary);
    }
    const auto write = [&](const std::string &name, const Observation &event) {
        write_seed(root, "summary", name, test::summary_of(std::vector<Observation>(12, event), memory));
    };
    Observation whole = test::thought(1250, 100, 800'000'000'000'000);
    whole.first_token_ms = 250;
    whole.prompt_tokens = 20;
    write("same", whole);
    write("bare", Observation{});
    write("overflowed", test::thought(1.5e308, 1));
}

void write_batches(const std::filesystem::path &root)
{
    BatchWriter writer;
    const auto write = [&](const std::string &name) {
        const test::Bytes bytes = writer.finish({.producer = {1, 2, 3}, .sequence = 1});
        write_file(root / "batch_bytes", name, reinterpret_cast<const char *>(bytes.data()), bytes.size());
    };
    write("empty");
    writer.add({.time_us = 1'700'000'000'000'000, .event_type = "VRAM_CHECK", .component = "GPU", .value = 8192});
    write("one");
    for (int i = 0; i < 20; ++i)
        writer.add({.time_us = 1'700'000'000'000'000 + 997 * i,
                    .event_type = "THOUGHT_LATENCY",
                    .component = "m",
                    .duration_ms = 250.5 + i,
                    .prompt_tokens = 20 * i,
                    .tokens_generated = i,
                    .status = "OK",
                    .metadata = i % 3 == 0 ? "{\"k\": 1}" : ""});
    write("mixed");
}

} // namespace

int main(int count, char **arguments)
{
    if (count != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", arguments[0]);
        return 2;
    }
    test::Context memory;
    write_sketches(arguments[1], memory);
    write_summaries(arguments[1], memory);
    write_batches(arguments[1]);
    return 0;
}
