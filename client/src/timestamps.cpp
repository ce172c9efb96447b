#include "timestamps.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace gravitas::telemetry {

namespace {

using std::chrono::microseconds;

constexpr std::int64_t second = 1'000'000;

Clock::time_point saturated(microseconds since_1970)
{
    constexpr auto latest = std::chrono::floor<microseconds>(Clock::time_point::max().time_since_epoch());
    constexpr auto earliest = std::chrono::ceil<microseconds>(Clock::time_point::min().time_since_epoch());
    return Clock::time_point(std::clamp(since_1970, earliest, latest));
}

// Reads a text from its start.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text), text_(text) {}

    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

    bool skip(char wanted)
    {
        if (rest_.empty() || rest_.front() != wanted)
            return false;
        rest_.remove_prefix(1);
        return true;
    }

    void expect(char wanted)
    {
        if (!skip(wanted))
            fail();
    }

    std::int64_t number()
    {
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (error != std::errc() || rest_.front() == '-')
            fail();
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        return value;
    }

    // The digits after a decimal point, if there are any.
    std::int64_t microseconds_part()
    {
        if (!skip('.'))
            return 0;
        std::int64_t value = 0;
        std::int64_t weight = second / 10;
        for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1), weight /= 10)
            value += (rest_.front() - '0') * weight;
        return value;
    }

    [[noreturn]] void fail() const { throw std::invalid_argument('"' + std::string(text_) + "\" is not a timestamp"); }

private:
    std::string_view rest_;
    std::string_view text_;
};

// Z, +02, -03:30 or +00:19:32
std::int64_t offset_seconds(Scanner &scanner)
{
    if (scanner.skip('Z'))
        return 0;
    const bool west = scanner.skip('-');
    if (!west)
        scanner.expect('+');
    std::int64_t seconds = scanner.number() * 3600;
    if (scanner.skip(':'))
        seconds += scanner.number() * 60;
    if (scanner.skip(':'))
        seconds += scanner.number();
    return west ? -seconds : seconds;
}

} // namespace

Clock::time_point parse_epoch(std::string_view seconds)
{
    if (seconds == "Infinity")
        return Clock::time_point::max();
    if (seconds == "-Infinity")
        return Clock::time_point::min();
    Scanner scanner(seconds);
    const bool before_1970 = scanner.skip('-');
    constexpr std::int64_t range = std::numeric_limits<std::int64_t>::max() / second - 1;
    const std::int64_t whole = std::min(scanner.number(), range);
    const std::int64_t micros = whole * second + scanner.microseconds_part();
    if (!scanner.at_end())
        scanner.fail();
    return saturated(microseconds(before_1970 ? -micros : micros));
}

Clock::time_point parse_iso_timestamp(std::string_view text)
{
    using namespace std::chrono;
    if (text == "infinity")
        return Clock::time_point::max();
    if (text == "-infinity")
        return Clock::time_point::min();

    Scanner scanner(text);
    const std::int64_t y = scanner.number();
    scanner.expect('-');
    const std::int64_t m = scanner.number();
    scanner.expect('-');
    const std::int64_t d = scanner.number();
    if (!scanner.skip('T'))
        scanner.expect(' ');
    const std::int64_t hour = scanner.number();
    scanner.expect(':');
    const std::int64_t minute = scanner.number();
    scanner.expect(':');
    const std::int64_t whole = scanner.number();
    const std::int64_t fraction = scanner.microseconds_part();
    const std::int64_t offset = offset_seconds(scanner);

    const year_month_day date{year(static_cast<int>(std::min<std::int64_t>(y, 32'767))),
                              month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
    if (!scanner.at_end() || !date.ok())
        scanner.fail();
    const std::int64_t seconds_of_day = hour * 3600 + minute * 60 + whole - offset;
    return saturated(sys_days(date).time_since_epoch() + microseconds(seconds_of_day * second + fraction));
}

} // namespace gravitas::telemetry
