// What Prometheus scrapes. Everything is counted since the first event, from the rollups of days, which stay for ever,
// and what is not compacted yet; so counters never fall.

#pragma once

#include "answers.hpp"
#include "pool.hpp"

#include <httplib.h>

#include <mutex>
#include <set>
#include <string>

namespace gravitas::telemetry::http {

// Names are text from strangers, so only so many become series. Who has a place keeps it as long as the program runs,
// so that what all others amount to never falls either.
class Places {
public:
    explicit Places(std::size_t most) : most_(most) {}
    bool has_place(const std::string &name);

private:
    const std::size_t most_;
    std::mutex mutex_;
    std::set<std::string> names_;
};

class Metrics {
public:
    Answer answer(Pool &pool, const httplib::Request &request);

    static constexpr std::size_t most_models = 100;
    static constexpr std::size_t most_series = 500; // of event type and component

private:
    Places models_{most_models};
    Places series_{most_series};
};

} // namespace gravitas::telemetry::http
