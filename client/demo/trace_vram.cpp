// A log of one GPU's memory: JSON objects with used and total megabytes, utilisation and temperature, each taken at
// a reading of a monotonic clock in seconds. Each becomes a VRAM_CHECK, whose value is the free megabytes.

#include "trace.hpp"

#include <algorithm>
#include <cmath>

namespace demo {

namespace {

struct Sample {
    double time_s = 0;
    double used_mb = 0;
    double total_mb = 0;
    std::string metadata;
};

bool recognises(const SourceFile &file)
{
    const auto is_sample = [](const nlohmann::json &entry) {
        return entry.is_object() && entry.contains("GPU_used_mem");
    };
    return file.document.is_structured() && std::any_of(file.document.begin(), file.document.end(), is_sample);
}

Sample read_sample(const nlohmann::json &record, const std::string &where)
{
    if (!record.is_object())
        throw TraceError(where + ": not an object");
    Sample sample{.time_s = figure(record, "record_time", where),
                  .used_mb = figure(record, "GPU_used_mem", where),
                  .total_mb = figure(record, "GPU_total_mem", where),
                  .metadata = {}};
    if (sample.used_mb > sample.total_mb)
        throw TraceError(where + ": more memory used than there is");
    figure(record, "GPU_utilization", where);
    figure(record, "GPU_temperature", where);
    sample.metadata = nlohmann::ordered_json{{"used_mb", record["GPU_used_mem"]},
                                             {"total_mb", record["GPU_total_mem"]},
                                             {"utilization_percent", record["GPU_utilization"]},
                                             {"temperature_c", record["GPU_temperature"]}}
                          .dump();
    return sample;
}

class VramTrace : public Trace {
public:
    VramTrace(std::string gpu, std::vector<Sample> samples) : Trace(std::move(gpu)), samples_(std::move(samples)) {}

    std::size_t size() const noexcept override { return samples_.size(); }
    std::string_view unit() const noexcept override { return "samples"; }
    Nanoseconds age(std::size_t event) const override
    {
        return Nanoseconds{std::llround((samples_.back().time_s - samples_[event].time_s) * 1e6) * 1000};
    }

    void log(gravitas::telemetry::Client &client, std::size_t event, TimePoint end) const override
    {
        const Sample &sample = samples_[event];
        client.log({.event_type = "VRAM_CHECK",
                    .component = component(),
                    .value = sample.total_mb - sample.used_mb,
                    .metadata = sample.metadata,
                    .event_time = end - age(event)});
    }

private:
    std::vector<Sample> samples_;
};

std::unique_ptr<Trace> read(const SourceFile &file)
{
    std::vector<Sample> samples;
    for (const auto &[key, record] : file.document.items())
        samples.push_back(read_sample(record, file.path.string() + ": sample \"" + key + "\""));
    std::sort(samples.begin(), samples.end(), [](const Sample &a, const Sample &b) { return a.time_s < b.time_s; });
    if (samples.back().time_s - samples.front().time_s > 1e9)
        throw TraceError(file.path.string() + ": the samples are more than 30 years apart");
    return std::make_unique<VramTrace>("gpu0", std::move(samples));
}

} // namespace

const TraceFormat vram_format{"vram", recognises, read};

} // namespace demo
