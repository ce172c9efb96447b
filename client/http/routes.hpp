// Which path leads where.

#pragma once

#include "answers.hpp"
#include "guard.hpp"
#include "metrics.hpp"
#include "options.hpp"
#include "pool.hpp"

#include <httplib.h>

namespace gravitas::telemetry::http {

class Routes {
public:
    explicit Routes(const Options &options);

    // Throws a Refusal. Called by several threads at once.
    Answer answer(const httplib::Request &request);

private:
    Guard guard_;
    Pool pool_;
    Metrics metrics_;
    bool enable_log_;
};

} // namespace gravitas::telemetry::http
