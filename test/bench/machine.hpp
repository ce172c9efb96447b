// What the figures were taken on.

#pragma once

#include "options.hpp"

#include <string>

namespace bench {

std::string head_of_report(const Options &options);

} // namespace bench
