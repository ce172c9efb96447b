// llmperf: one JSON array for each model, one object for each call. The file name is the model. The calls carry no
// times of their own; they were made one after another, so each is placed by the latencies of those after it.

#include "trace.hpp"

#include <algorithm>
#include <cmath>

namespace demo {

namespace {

struct Call {
    double seconds = 0;
    double first_token_seconds = 0;
    std::int32_t tokens_generated = 0;
    std::int32_t prompt_tokens = 0;
    bool success = true;
    std::string metadata = {}; // of a failed call: why
    Nanoseconds age{};
};

constexpr double longest_call_s = 1e6;

bool recognises(const SourceFile &file)
{
    const auto is_call = [](const nlohmann::json &entry) {
        return entry.is_object() && (entry.contains("end_to_end_latency_s") || entry.contains("number_output_tokens"));
    };
    return file.document.is_array() && std::any_of(file.document.begin(), file.document.end(), is_call);
}

std::string reason_of(const nlohmann::json &record)
{
    nlohmann::json reason{{"error_code", record.at("error_code")}};
    if (const auto message = record.find("error_msg"); message != record.end() && message->is_string()) {
        auto text = message->get<std::string>();
        std::erase(text, '\0'); // which PostgreSQL's jsonb cannot hold
        if (!text.empty())
            reason["error_msg"] = std::move(text);
    }
    return reason.dump();
}

// A failed call may lack what only an answer has.
Call failed_call(nlohmann::json record, const std::string &where)
{
    for (const char *key : {"end_to_end_latency_s", "ttft_s", "number_output_tokens", "number_input_tokens"})
        if (!record.contains(key) || record[key].is_null())
            record[key] = 0;
    return {.seconds = figure(record, "end_to_end_latency_s", where, longest_call_s),
            .first_token_seconds = figure(record, "ttft_s", where, longest_call_s),
            .tokens_generated = whole_figure(record, "number_output_tokens", where),
            .prompt_tokens = whole_figure(record, "number_input_tokens", where),
            .success = false,
            .metadata = reason_of(record)};
}

Call read_call(const nlohmann::json &record, const std::string &where)
{
    if (!record.is_object())
        throw TraceError(where + ": not an object");
    if (const auto error = record.find("error_code"); error != record.end() && !error->is_null())
        return failed_call(record, where);
    return {.seconds = figure(record, "end_to_end_latency_s", where, longest_call_s),
            .first_token_seconds = figure(record, "ttft_s", where, longest_call_s),
            .tokens_generated = whole_figure(record, "number_output_tokens", where),
            .prompt_tokens = whole_figure(record, "number_input_tokens", where)};
}

class LlmperfTrace : public Trace {
public:
    LlmperfTrace(std::string model, std::vector<Call> calls) : Trace(std::move(model)), calls_(std::move(calls)) {}

    std::size_t size() const noexcept override { return calls_.size(); }
    std::string_view unit() const noexcept override { return "calls"; }
    Nanoseconds age(std::size_t event) const override { return calls_[event].age; }

    void log(gravitas::telemetry::Client &client, std::size_t event, TimePoint end) const override
    {
        const Call &call = calls_[event];
        client.log_thought_latency({.model_name = component(),
                                    .inference_time_seconds = call.seconds,
                                    .tokens_generated = call.tokens_generated,
                                    .prompt_tokens = call.prompt_tokens,
                                    .success = call.success,
                                    .first_token_seconds = call.first_token_seconds,
                                    .metadata = call.metadata,
                                    .event_time = end - call.age});
    }

private:
    std::vector<Call> calls_;
};

std::unique_ptr<Trace> read(const SourceFile &file)
{
    std::vector<Call> calls;
    for (const nlohmann::json &record : file.document)
        calls.push_back(read_call(record, file.path.string() + ": call " + std::to_string(calls.size() + 1)));
    double seconds_after = 0;
    for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
        call->age = Nanoseconds{std::llround(seconds_after * 1e9)};
        seconds_after += call->seconds;
        if (seconds_after > 1e9)
            throw TraceError(file.path.string() + ": the calls together take longer than 30 years");
    }
    return std::make_unique<LlmperfTrace>(file.path.stem().string(), std::move(calls));
}

} // namespace

const TraceFormat llmperf_format{"llmperf", recognises, read};

} // namespace demo
