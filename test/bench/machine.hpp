// What the figures were taken on.

#pragma once

#include "options.hpp"

#include <string>
#include <utility>
#include <vector>

namespace bench {

struct Machine {
    std::vector<std::pair<std::string, std::string>> facts; // in the order in which they are told
};

Machine describe_machine(const Options &options);
std::string text_of(const Machine &machine); // the head of the report

} // namespace bench
