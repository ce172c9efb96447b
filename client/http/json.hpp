// Rows as JSON, by the types that they have in SQL.

#pragma once

#include "database.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gravitas::telemetry::http {

// Quoted and escaped; what is not UTF-8 (a database may have the encoding SQL_ASCII) is replaced.
void append_string(std::string &out, std::string_view text);

// Numbers, booleans and JSON as they are, times as ISO 8601 in UTC, the rest as strings; NULL, NaN and infinity are
// null.
void append_value(std::string &out, const Result &result, int row, int column);

// The names of the columns, made keys of objects once for all rows.
class Keys {
public:
    explicit Keys(const Result &result);
    void append_row(std::string &out, const Result &result, int row) const;

private:
    std::vector<std::string> keys_; // with what stands around them
};

void append_rows(std::string &out, const Result &result);

} // namespace gravitas::telemetry::http
