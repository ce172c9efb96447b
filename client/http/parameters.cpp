#include "parameters.hpp"

#include "answers.hpp"

#include <algorithm>
#include <charconv>

namespace gravitas::telemetry::http {

namespace {

std::string listed(std::initializer_list<std::string_view> names)
{
    std::string list;
    for (const std::string_view name : names)
        list.append(list.empty() ? "" : ", ").append(name);
    return list.empty() ? "This path takes no parameters." : "It takes: " + list + ".";
}

// How many bytes follow the first one of a character, or -1; the least code point that needs so many.
int continuation_of(unsigned char first, char32_t &least)
{
    if (first < 0x80)
        return 0;
    least = first < 0xE0 ? 0x80 : first < 0xF0 ? 0x800 : 0x10000;
    return first < 0xC2 ? -1 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF5 ? 3 : -1;
}

} // namespace

bool is_utf8(std::string_view text)
{
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i++]);
        char32_t least = 0;
        const int more = continuation_of(first, least);
        if (more < 0 || text.size() - i < static_cast<std::size_t>(more))
            return false;
        char32_t character = more == 0 ? first : first & (0x3F >> more);
        for (int n = 0; n < more; ++n, ++i) {
            const auto byte = static_cast<unsigned char>(text[i]);
            if ((byte & 0xC0) != 0x80)
                return false;
            character = (character << 6) | (byte & 0x3F);
        }
        if (character < least || character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF))
            return false;
    }
    return true;
}

Parameters::Parameters(const httplib::Params &given, std::initializer_list<std::string_view> known) : given_(given)
{
    for (const auto &[name, value] : given) {
        if (std::find(known.begin(), known.end(), name) == known.end())
            throw Refusal(400, "unknown parameter \"" + name + "\"", listed(known));
        if (given.count(name) > 1)
            throw Refusal(400, "parameter \"" + name + "\" is given more than once");
        if (value.find('\0') != std::string::npos || !is_utf8(value))
            throw Refusal(400, "parameter \"" + name + "\" is not UTF-8 text", "Percent-encode it, without %00.");
    }
}

std::optional<std::string> Parameters::text(const std::string &name) const
{
    const auto found = given_.find(name);
    return found == given_.end() || found->second.empty() ? std::nullopt : std::optional(found->second);
}

std::optional<int> Parameters::integer(const std::string &name, int least, int greatest) const
{
    const std::optional<std::string> given = text(name);
    if (!given)
        return std::nullopt;
    int value = 0;
    const char *const end = given->data() + given->size();
    const auto [stopped, error] = std::from_chars(given->data(), end, value);
    if (error != std::errc() || stopped != end || value < least || value > greatest)
        throw Refusal(400, "parameter \"" + name + "\" must be a whole number from " + std::to_string(least) + " to " +
                               std::to_string(greatest) + ", not \"" + *given + "\"");
    return value;
}

} // namespace gravitas::telemetry::http
