#include "core/time_bucket.hpp"

#include <chrono>
#include <cstdio>

namespace gravitas::telemetry::core {

std::string iso_date(Microseconds day_start)
{
    using namespace std::chrono;
    const sys_days epoch = 2000y / January / 1;
    const year_month_day date = epoch + days{floor_to(day_start, day_us) / day_us};
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    return text;
}

} // namespace gravitas::telemetry::core
