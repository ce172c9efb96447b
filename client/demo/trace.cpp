#include "trace.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>

namespace demo {

namespace fs = std::filesystem;

namespace {

constexpr std::array<const TraceFormat *, 3> formats{&llmperf_format, &azure_format, &vram_format};

std::string read_text(const fs::path &path)
{
    std::ifstream file(path, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (!file)
        throw TraceError(path.string() + ": cannot be read");
    return text;
}

// The parser's message without its start: "[json.exception…] parse error at line 1, column 2: …".
std::string json_complaint(const std::string &message)
{
    const std::size_t position = message.find("column ");
    const std::size_t start = position == std::string::npos ? message.find("] ") : message.find(": ", position);
    std::string complaint = start == std::string::npos ? message : message.substr(start + 2);
    std::replace_if(
        complaint.begin(), complaint.end(), [](unsigned char c) { return c < ' ' || c >= 0x7f; }, '?');
    constexpr std::size_t longest = 160;
    return complaint.size() > longest ? complaint.substr(0, longest) + " …" : complaint;
}

// Of the last byte that was read, `bytes_read` bytes into the text; both from 1.
std::string line_and_column(std::string_view text, std::size_t bytes_read)
{
    const std::string_view before = text.substr(0, bytes_read == 0 ? 0 : bytes_read - 1);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1; // npos + 1 is 0: the first line
    return std::to_string(line) + ":" + std::to_string(column);
}

nlohmann::json parse_json(const fs::path &path, const std::string &text)
{
    try {
        return nlohmann::json::parse(text);
    } catch (const nlohmann::json::parse_error &e) {
        throw TraceError(path.string() + ":" + line_and_column(text, e.byte) +
                         ": not valid JSON: " + json_complaint(e.what()));
    } catch (const nlohmann::json::exception &e) {
        throw TraceError(path.string() + ": not valid JSON: " + json_complaint(e.what()));
    }
}

bool looks_like_json(const SourceFile &file)
{
    const std::size_t first = file.text.find_first_not_of(" \t\r\n");
    return file.path.extension() == ".json" ||
           (first != std::string::npos && (file.text[first] == '[' || file.text[first] == '{'));
}

// Null where no format knows the file.
std::unique_ptr<Trace> read_trace(const fs::path &path)
{
    SourceFile file{path, read_text(path), nullptr};
    if (looks_like_json(file))
        file.document = parse_json(path, file.text);
    for (const TraceFormat *format : formats)
        if (format->recognises(file))
            return format->read(file);
    return nullptr;
}

bool may_be_trace(const fs::path &path) { return path.extension() == ".json" || path.extension() == ".csv"; }

std::vector<fs::path> files_below(const fs::path &folder)
{
    std::vector<fs::path> files;
    for (const fs::directory_entry &entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file())
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace

TraceFiles read_traces(const std::vector<fs::path> &paths)
{
    TraceFiles found;
    std::set<fs::path> seen;
    const auto is_new = [&](const fs::path &path) { return seen.insert(fs::canonical(path)).second; };
    for (const fs::path &path : paths) {
        if (!fs::exists(path))
            throw TraceError(path.string() + ": no such file or folder");
        if (!fs::is_directory(path)) {
            if (!is_new(path))
                continue;
            found.traces.push_back(read_trace(path));
            if (!found.traces.back())
                throw TraceError(path.string() + ": not a trace that is known (llmperf calls as JSON, Azure LLM "
                                                 "inference arrivals as CSV, GPU memory log as JSON)");
            continue;
        }
        for (const fs::path &file : files_below(path)) {
            if (!is_new(file))
                continue;
            std::unique_ptr<Trace> trace = may_be_trace(file) ? read_trace(file) : nullptr;
            if (trace)
                found.traces.push_back(std::move(trace));
            else
                found.skipped.push_back(file);
        }
    }
    return found;
}

double figure(const nlohmann::json &record, const char *key, const std::string &where, double largest)
{
    const auto found = record.find(key);
    if (found == record.end())
        throw TraceError(where + ": \"" + key + "\" is missing");
    if (!found->is_number())
        throw TraceError(where + ": \"" + key + "\" is not a number");
    const double number = found->get<double>();
    if (!(number >= 0 && number <= largest))
        throw TraceError(where + ": \"" + key + "\" is out of range: " + found->dump());
    return number;
}

std::int32_t whole_figure(const nlohmann::json &record, const char *key, const std::string &where)
{
    const double number = figure(record, key, where, std::numeric_limits<std::int32_t>::max());
    if (number != std::floor(number))
        throw TraceError(where + ": \"" + key + "\" is not a whole number");
    return static_cast<std::int32_t>(number);
}

} // namespace demo
