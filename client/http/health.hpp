// Whether all is well, in the words of the view status.

#pragma once

#include "answers.hpp"
#include "pool.hpp"

#include <httplib.h>

namespace gravitas::telemetry::http {

// 200: ok or degraded, 503: unavailable.
Answer answer_health(Pool &pool, const httplib::Params &given);

} // namespace gravitas::telemetry::http
