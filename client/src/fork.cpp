#include "fork.hpp"

#include <pthread.h>

namespace gravitas::telemetry {

ForkCount::ForkCount()
{
    static const int registered = pthread_atfork(nullptr, nullptr, [] { count_.fetch_add(1); });
    static_cast<void>(registered); // it fails without memory only: then children must not use their parent's clients
}

} // namespace gravitas::telemetry
