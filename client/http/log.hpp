// Storing events that come by HTTP.

#pragma once

#include "answers.hpp"
#include "pool.hpp"

#include <httplib.h>

namespace gravitas::telemetry::http {

// One event, or an array of them, as log_batch() takes them.
Answer answer_log(Pool &pool, const httplib::Request &request);

} // namespace gravitas::telemetry::http
