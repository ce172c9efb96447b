#include "report.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace bench {

namespace {

using Json = nlohmann::ordered_json;
using Cells = std::vector<std::string>;

// Three digits that mean something: 0.123, 1.23, 12.3, 1,234
std::string figure(double number)
{
    if (number >= 100)
        return grouped(number);
    char text[32];
    std::snprintf(text, sizeof text, number >= 10 ? "%.1f" : number >= 1 ? "%.2f" : "%.3f", number);
    return text;
}

std::string figures(const Samples &samples, const std::string &unit)
{
    if (samples.empty())
        return "";
    if (samples.size() == 1)
        return (unit == "B" ? grouped(samples.median()) : figure(samples.median())) + " " + unit;
    return figure(samples.minimum()) + " / " + figure(samples.median()) + " / " + figure(samples.maximum()) + " " +
           unit + ", n=" + std::to_string(samples.size());
}

std::string limits(const Target &target, const std::string &unit)
{
    std::string text;
    if (target.figure)
        text = "≤ " + (*target.figure == 0 ? "0" : figure(*target.figure)) + " " + unit;
    if (target.ratio)
        text += (text.empty() ? "≤ " : ", ≤ ") + figure(*target.ratio) + " ×";
    if (target.least_ratio)
        text = "≥ " + figure(*target.least_ratio) + " ×";
    return text;
}

std::string verdict(const Row &row) { return misses_target(row) ? "MISSED" : has_target(row) ? "ok" : ""; }

Cells cells_of(const Row &row)
{
    const std::optional<double> ratio = ratio_of(row);
    return {row.work,
            figures(row.product, row.unit),
            row.reference,
            figures(row.reference_figure, row.unit),
            ratio ? figure(*ratio) + " ×" : "",
            limits(row.target, row.unit),
            verdict(row)};
}

// Columns that a terminal takes for UTF-8.
std::size_t width(const std::string &text)
{
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string table(const std::vector<Row> &rows)
{
    std::vector<Cells> lines = {
        {"work", "min / median / max", "reference", "its min / median / max", "ratio", "target", ""}};
    for (const Row &row : rows)
        lines.push_back(cells_of(row));
    std::vector<std::size_t> widths(lines.front().size());
    for (const Cells &line : lines)
        for (std::size_t column = 0; column < widths.size(); ++column)
            widths[column] = std::max(widths[column], width(line[column]));
    std::string text;
    for (const Cells &line : lines) {
        for (std::size_t column = 0; column < widths.size(); ++column)
            text += "| " + line[column] + std::string(widths[column] - width(line[column]) + 1, ' ');
        text += "|\n";
        if (&line != &lines.front())
            continue;
        for (const std::size_t columns : widths)
            text += "|" + std::string(columns + 2, '-');
        text += "|\n";
    }
    return text;
}

Json json_of(const Samples &samples)
{
    if (samples.empty())
        return nullptr;
    return {
        {"n", samples.size()}, {"min", samples.minimum()}, {"median", samples.median()}, {"max", samples.maximum()}};
}

Json json_of(const std::optional<double> &number) { return number ? Json(*number) : Json(nullptr); }

Json json_of(const std::string &subject, const Row &row)
{
    return {{"subject", subject},
            {"work", row.work},
            {"unit", row.unit},
            {"product", json_of(row.product)},
            {"reference", row.reference},
            {"reference_figure", json_of(row.reference_figure)},
            {"ratio", json_of(ratio_of(row))},
            {"target",
             {{"max", json_of(row.target.figure)},
              {"max_ratio", json_of(row.target.ratio)},
              {"min_ratio", json_of(row.target.least_ratio)}}},
            {"missed", misses_target(row)}};
}

double last_progress = 0; // in seconds of the run

double seconds_of_run()
{
    static const auto start = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

std::string grouped(double number)
{
    std::string digits = std::to_string(std::llround(number));
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (digits.front() == '-' ? 1 : 0); at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return digits;
}

std::string in_words(long number)
{
    constexpr long million = 1'000'000;
    return number > 0 && number % million == 0 ? std::to_string(number / million) + " M"
                                               : grouped(static_cast<double>(number));
}

std::optional<double> ratio_of(const Row &row)
{
    if (row.product.empty() || row.reference_figure.empty())
        return std::nullopt;
    return row.product.median() / row.reference_figure.median();
}

bool has_target(const Row &row) { return row.target.figure || row.target.ratio || row.target.least_ratio; }

bool misses_target(const Row &row)
{
    const double ratio = ratio_of(row).value_or(0);
    return (row.target.figure && row.product.median() > *row.target.figure) ||
           (row.target.ratio && ratio > *row.target.ratio) ||
           (row.target.least_ratio && ratio < *row.target.least_ratio);
}

void Report::begin(const std::string &subject, const std::string &title)
{
    sections_.push_back({subject, title, {}, {}, 0});
    progress(title);
}

// Rows that begin with two blanks go on with the one above; the work of each stands whole where it is missed.
void Report::add(Row row)
{
    progress("  " + row.work + ": " + figures(row.product, row.unit));
    sections_.back().rows.push_back(std::move(row));
}

void Report::say(const std::string &work, const std::string &text)
{
    sections_.back().rows.push_back({work, {}, text, {}, {}, ""});
    progress("  " + work + ": " + text);
}

void Report::end(double seconds, const std::string &error)
{
    sections_.back().seconds = seconds;
    sections_.back().error = error;
    if (!error.empty())
        progress("  failed: " + error);
}

bool Report::has_failed() const
{
    return std::any_of(sections_.begin(), sections_.end(),
                       [](const Section &section) { return !section.error.empty(); });
}

std::string Report::text() const
{
    std::string body, misses;
    int targets = 0, missed = 0;
    for (const Section &section : sections_) {
        body += "\n## " + section.subject + ": " + section.title + "\n\n" + table(section.rows) + "\nIn " +
                grouped(section.seconds) + " s.\n";
        if (!section.error.empty())
            body += "\nFAILED: " + section.error + "\n";
        for (const Row &row : section.rows) {
            targets += has_target(row) ? 1 : 0;
            missed += misses_target(row) ? 1 : 0;
            if (misses_target(row))
                misses += "- " + section.subject + ": " + row.work + ": " + figures(row.product, row.unit) +
                          (ratio_of(row) ? ", " + figure(*ratio_of(row)) + " × " + row.reference : "") + "; target " +
                          limits(row.target, row.unit) + "\n";
        }
    }
    return text_of(machine_) + body + "\n" + std::to_string(targets) + " targets, " + std::to_string(missed) +
           " missed" + (misses.empty() ? "\n" : ":\n\n" + misses);
}

std::string Report::json() const
{
    Json rows = Json::array(), failures = Json::array(), seconds;
    for (const Section &section : sections_) {
        seconds[section.subject] = section.seconds;
        for (const Row &row : section.rows)
            rows.push_back(json_of(section.subject, row));
        if (!section.error.empty())
            failures.push_back({{"subject", section.subject}, {"error", section.error}});
    }
    Json document = {{"product", "Gravitas Telemetry"}};
    for (const auto &[name, value] : machine_.facts)
        document["machine"][name] = value;
    document["rows"] = rows;
    document["failures"] = failures;
    document["seconds"] = seconds;
    return document.dump(2) + "\n";
}

void progress(const std::string &what)
{
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%6.1f s  ", seconds_of_run());
    std::cerr << seconds << what << std::endl;
    last_progress = seconds_of_run();
}

void progress_of_step(const std::string &what)
{
    if (seconds_of_run() - last_progress >= 2)
        progress(what);
}

} // namespace bench
