// The endpoints that ask the database one question each.

#pragma once

#include "answers.hpp"
#include "pool.hpp"

#include <httplib.h>

namespace gravitas::telemetry::http {

Answer answer_efficiency(Pool &pool, const httplib::Params &given);
Answer answer_trend(Pool &pool, const httplib::Params &given);
Answer answer_series(Pool &pool, const httplib::Params &given);
Answer answer_60day(Pool &pool, const httplib::Params &given);
Answer answer_footprint(Pool &pool, const httplib::Params &given);
Answer answer_events(Pool &pool, const httplib::Params &given);
Answer answer_alerts(Pool &pool, const httplib::Params &given);
Answer answer_stats(Pool &pool, const httplib::Params &given);

} // namespace gravitas::telemetry::http
