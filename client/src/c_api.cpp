// telemetry.h: each function is a call of the C++ client, and no exception leaves it.

#include <gravitas/telemetry.h>
#include <gravitas/telemetry.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <string_view>

namespace telemetry = gravitas::telemetry;

struct gravitas_telemetry_client {
    explicit gravitas_telemetry_client(telemetry::Options options) : client(std::move(options)) {}
    telemetry::Client client;
};

namespace gravitas::telemetry {

// A handle of C is the name that the handle of C++ points to.
struct ComponentOfC {
    static const gravitas_telemetry_component *to_c(Component component) noexcept
    {
        return reinterpret_cast<const gravitas_telemetry_component *>(component.name_);
    }
    static Component to_cpp(const gravitas_telemetry_component *component) noexcept
    {
        return Component(reinterpret_cast<const std::string *>(component));
    }
};

} // namespace gravitas::telemetry

namespace {

using telemetry::ComponentOfC;

std::string_view view(const char *text) noexcept { return text == nullptr ? std::string_view() : text; }

std::optional<double> given(double figure) noexcept
{
    return std::isnan(figure) ? std::nullopt : std::optional(figure);
}

template <typename T>
void set(T &option, T value)
{
    if (value != T{})
        option = value;
}

void set(std::chrono::milliseconds &option, std::int64_t ms)
{
    if (ms != 0)
        option = std::chrono::milliseconds(std::max<std::int64_t>(ms, 0));
}

telemetry::OnFull on_full(int choice)
{
    switch (choice) {
    case GRAVITAS_TELEMETRY_DROP_NEWEST:
        return telemetry::OnFull::drop_newest;
    case GRAVITAS_TELEMETRY_BLOCK:
        return telemetry::OnFull::block;
    case GRAVITAS_TELEMETRY_SPILL:
        return telemetry::OnFull::spill;
    default:
        throw std::invalid_argument("on_full is not one of GRAVITAS_TELEMETRY_DROP_NEWEST, _BLOCK, _SPILL");
    }
}

telemetry::Options options_of(const gravitas_telemetry_options &c)
{
    telemetry::Options options;
    options.conninfo = view(c.conninfo);
    set(options.queue_capacity, c.queue_capacity);
    options.on_full = on_full(c.on_full);
    options.spill_directory = view(c.spill_directory);
    set(options.spill_bytes_max, c.spill_bytes_max);
    set(options.batch_events, c.batch_events);
    set(options.batch_age, c.batch_age_ms);
    set(options.batches_in_flight, c.batches_in_flight);
    set(options.reconnect_max, c.reconnect_max_ms);
    set(options.close_deadline, c.close_deadline_ms);
    if (c.on_error != nullptr)
        options.on_error = [tell = c.on_error, context = c.on_error_context](const telemetry::Error &error) {
            tell(context, error.what(), error.sqlstate().c_str(), error.retryable());
        };
    return options;
}

// What an older program does not know of is 0.
gravitas_telemetry_options known_part(const gravitas_telemetry_options *given)
{
    gravitas_telemetry_options known{};
    if (given == nullptr)
        return known;
    if (given->struct_size < sizeof given->struct_size)
        throw std::invalid_argument("struct_size must be sizeof(gravitas_telemetry_options)");
    std::memcpy(&known, given, std::min(given->struct_size, sizeof known));
    return known;
}

} // namespace

gravitas_telemetry_client *gravitas_telemetry_open(const gravitas_telemetry_options *options, char *error,
                                                   size_t error_size)
try {
    return new gravitas_telemetry_client(options_of(known_part(options)));
} catch (const std::exception &reason) {
    if (error != nullptr && error_size > 0)
        error[view(reason.what()).copy(error, error_size - 1)] = '\0';
    return nullptr;
}

void gravitas_telemetry_free(gravitas_telemetry_client *client) { delete client; }

const gravitas_telemetry_component *gravitas_telemetry_get_component(gravitas_telemetry_client *client,
                                                                     const char *name)
try {
    return ComponentOfC::to_c(client->client.component(view(name)));
} catch (...) {
    return nullptr;
}

bool gravitas_telemetry_log_load_latency(gravitas_telemetry_client *client, const gravitas_telemetry_component *model,
                                         double load_time_seconds, bool success)
{
    if (model == nullptr)
        return client->client.log_load_latency("", load_time_seconds, success); // refused
    return client->client.log_load_latency(ComponentOfC::to_cpp(model), load_time_seconds, success);
}

bool gravitas_telemetry_log_thought_latency(gravitas_telemetry_client *client,
                                            const gravitas_telemetry_component *model, double inference_time_seconds,
                                            int32_t tokens_generated, int32_t prompt_tokens, double first_token_seconds,
                                            bool success)
{
    if (model == nullptr)
        return client->client.log_thought_latency("", inference_time_seconds, tokens_generated); // refused
    return client->client.log_thought_latency(ComponentOfC::to_cpp(model), inference_time_seconds, tokens_generated,
                                              prompt_tokens, given(first_token_seconds), success);
}

bool gravitas_telemetry_log(gravitas_telemetry_client *client, const char *event_type, const char *component,
                            double value, const char *metadata, const char *status)
{
    return client->client.log({.event_type = view(event_type),
                               .component = view(component),
                               .value = given(value),
                               .metadata = view(metadata),
                               .status = view(status)});
}

bool gravitas_telemetry_flush(gravitas_telemetry_client *client, int64_t deadline_ms)
{
    return client->client.flush(std::chrono::milliseconds(deadline_ms));
}

bool gravitas_telemetry_close(gravitas_telemetry_client *client, int64_t deadline_ms)
{
    return client->client.close(std::chrono::milliseconds(deadline_ms));
}

gravitas_telemetry_account gravitas_telemetry_get_account(const gravitas_telemetry_client *client)
{
    const telemetry::Account account = client->client.account();
    return {account.accepted, account.stored, account.queued, account.spilled, account.dropped, account.refused};
}
