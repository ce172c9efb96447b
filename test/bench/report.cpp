#include "report.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace bench {

namespace {

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

double last_progress = 0; // in seconds of the run

double seconds_of_run()
{
    static const auto start = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Columns that a terminal takes for UTF-8.
std::size_t width(const std::string &text)
{
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

} // namespace

std::string grouped(double number)
{
    std::string digits = std::to_string(std::llround(number));
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (digits.front() == '-' ? 1 : 0); at -= 3)
        digits.insert(static_cast<std::size_t>(at), ",");
    return digits;
}

void Report::add(const Row &row)
{
    const double ratio = row.reference_figure.empty() ? 0 : row.product.median() / row.reference_figure.median();
    const bool has_target = row.target.figure || row.target.ratio || row.target.least_ratio;
    const bool missed = (row.target.figure && row.product.median() > *row.target.figure) ||
                        (row.target.ratio && ratio > *row.target.ratio) ||
                        (row.target.least_ratio && ratio < *row.target.least_ratio);
    targets_ += has_target ? 1 : 0;
    missed_ += missed ? 1 : 0;
    rows_.push_back({row.work, figures(row.product, row.unit), row.reference, figures(row.reference_figure, row.unit),
                     row.reference_figure.empty() ? "" : figure(ratio) + " ×", limits(row.target, row.unit),
                     missed       ? "MISSED"
                     : has_target ? "ok"
                                  : ""});
    progress(row.work + ": " + rows_.back()[1]);
}

void Report::say(const std::string &work, const std::string &text)
{
    rows_.push_back({work, text, "", "", "", "", ""});
    progress(work + ": " + text);
}

std::string Report::text() const
{
    const Cells titles = {"work", "min / median / max", "reference", "its min / median / max", "ratio", "target", ""};
    std::vector<std::size_t> widths;
    for (std::size_t column = 0; column < titles.size(); ++column) {
        widths.push_back(width(titles[column]));
        for (const Cells &row : rows_)
            widths[column] = std::max(widths[column], width(row[column]));
    }
    const auto line = [&](const Cells &cells) {
        std::string text;
        for (std::size_t column = 0; column < cells.size(); ++column)
            text += "| " + cells[column] + std::string(widths[column] - width(cells[column]) + 1, ' ');
        return text + "|\n";
    };
    std::string text = head_ + "\n" + line(titles);
    for (const std::size_t columns : widths)
        text += "|" + std::string(columns + 2, '-');
    text += "|\n";
    for (const Cells &row : rows_)
        text += line(row);
    return text + "\n" + std::to_string(targets_) + " targets, " + std::to_string(missed_) + " missed\n";
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
