#include "inferences.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>
#include <random>

namespace bench {

namespace core = gravitas::telemetry::core;

namespace {

constexpr std::string_view event_type = "THOUGHT_LATENCY";
constexpr std::int64_t us_of_1970_to_2000 = 946'684'800'000'000;

// Big-endian, as PostgreSQL sends and takes numbers.
template <typename Unsigned>
class Number {
public:
    explicit Number(Unsigned number)
    {
        for (std::size_t i = bytes_.size(); i-- > 0; number = static_cast<Unsigned>(number >> 7 >> 1))
            bytes_[i] = static_cast<char>(number & 0xFF);
    }

    operator std::string_view() const { return {bytes_.data(), bytes_.size()}; }

private:
    std::array<char, sizeof(Unsigned)> bytes_;
};

Number<std::uint64_t> binary(double number) { return Number(std::bit_cast<std::uint64_t>(number)); }
Number<std::uint32_t> binary(std::int32_t number) { return Number(static_cast<std::uint32_t>(number)); }

// Calls `add` with the binary value of each of event_columns.
template <typename Add>
void each_field(const Inference &inference, Add add)
{
    add(Number(static_cast<std::uint64_t>(inference.time_us - us_of_1970_to_2000)));
    add(event_type);
    add(model_name(inference.model));
    add(binary(inference.value));
    add(binary(inference.duration_ms));
    add(binary(inference.first_token_ms));
    add(binary(inference.prompt_tokens));
    add(binary(inference.tokens_generated));
    add(status_of(inference));
}

template <typename Value>
void append_number(std::string &data, Value number)
{
    char text[32];
    data.append(text, std::to_chars(text, text + sizeof text, number).ptr);
    data += '\t';
}

} // namespace

std::vector<Inference> make_inferences(long count, std::chrono::seconds time)
{
    using namespace std::chrono;
    return make_inferences(count, duration_cast<microseconds>((system_clock::now() - time).time_since_epoch()).count(),
                           time);
}

std::vector<Inference> make_inferences(long count, std::int64_t start_us, std::chrono::seconds time, unsigned seed)
{
    const std::int64_t time_us = std::chrono::microseconds(time).count();
    std::mt19937_64 random(seed);
    std::lognormal_distribution<double> first_token(std::log(150.0), 0.6), pace(0, 0.4);
    std::uniform_int_distribution<std::int32_t> tokens(1, 500), prompt(0, 2000), hundred(0, 99);
    std::vector<Inference> inferences(static_cast<std::size_t>(count));
    for (long i = 0; i < count; ++i) {
        Inference &made = inferences[static_cast<std::size_t>(i)];
        made.time_us = start_us + time_us / count * i;
        made.model = static_cast<int>(i % 10);
        made.first_token_ms = first_token(random);
        made.tokens_generated = tokens(random);
        made.prompt_tokens = prompt(random);
        made.duration_ms = made.first_token_ms + (15 + made.model) * pace(random) * made.tokens_generated;
        made.value = made.duration_ms / made.tokens_generated;
        made.failed = hundred(random) == 0;
    }
    return inferences;
}

const std::string &model_name(int model)
{
    static const auto names = [] {
        std::array<std::string, 10> made;
        for (std::size_t i = 0; i < made.size(); ++i)
            made[i] = "model-" + std::to_string(i);
        return made;
    }();
    return names[static_cast<std::size_t>(model)];
}

std::string_view status_of(const Inference &inference) { return inference.failed ? "ERROR" : "OK"; }

core::BatchEvent batch_event(const Inference &inference)
{
    return {.time_us = inference.time_us,
            .event_type = event_type,
            .component = model_name(inference.model),
            .duration_ms = inference.duration_ms,
            .first_token_ms = inference.first_token_ms,
            .prompt_tokens = inference.prompt_tokens,
            .tokens_generated = inference.tokens_generated,
            .status = status_of(inference)};
}

void append_binary(std::string &data, const Inference &inference)
{
    constexpr std::uint16_t fields = 9;
    data += Number(fields);
    each_field(inference, [&](std::string_view field) {
        data += Number(static_cast<std::uint32_t>(field.size()));
        data += field;
    });
}

void append_text(std::string &data, const Inference &inference)
{
    constexpr std::int64_t second_us = 1'000'000;
    const std::time_t seconds = inference.time_us / second_us;
    char time[32];
    std::strftime(time, sizeof time, "%Y-%m-%d %H:%M:%S", std::gmtime(&seconds));
    const std::string fraction = std::to_string(second_us + inference.time_us % second_us); // its digits behind a 1
    data.append(time).append(".").append(fraction, 1).append("+00\t");
    data.append(event_type).append("\t").append(model_name(inference.model)).append("\t");
    append_number(data, inference.value);
    append_number(data, inference.duration_ms);
    append_number(data, inference.first_token_ms);
    append_number(data, inference.prompt_tokens);
    append_number(data, inference.tokens_generated);
    data.append(status_of(inference)).append("\n");
}

void BinaryParameters::add(const Inference &inference)
{
    each_field(inference, [&](std::string_view field) {
        bytes_ += field;
        lengths_.push_back(field.size());
    });
}

void BinaryParameters::clear()
{
    bytes_.clear();
    lengths_.clear();
}

std::vector<std::string_view> BinaryParameters::values() const
{
    std::vector<std::string_view> values;
    values.reserve(lengths_.size());
    std::size_t start = 0;
    for (const std::size_t length : lengths_) {
        values.push_back(std::string_view(bytes_).substr(start, length));
        start += length;
    }
    return values;
}

} // namespace bench
