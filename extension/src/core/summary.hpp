// The summary of any number of events: what rollups store and every reading function merges.
//
// Up to `most_listed` events it is the list of their samples, which is shorter than any sums over them, answers
// percentiles exactly and makes a group of few events cheap. Beyond, it is their totals. Which of the two depends on
// the number of events alone, so the order of additions and merges shows in no byte but the last bits of sums.

#pragma once

#include "core/ascending.hpp"
#include "core/totals.hpp"

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string_view>

namespace gravitas::telemetry::core {

inline constexpr std::size_t most_listed = 8;
using SampleList = Ascending<Sample, most_listed>;

// How many events a summary is of, and when the first and the last of them were; these mean nothing without events.
struct Occurrence {
    std::uint64_t events = 0;
    std::int64_t first_at = 0;
    std::int64_t last_at = 0;
};

// The occurrence that an encoded summary begins with. Safe on any bytes; what comes after it is not looked at.
[[nodiscard]] Occurrence occurrence_of(std::span<const std::uint8_t> encoded);

// Not copyable and without a destructor: memory goes back by `release` or with the resource, which must live as long.
// After std::bad_alloc or overflow a summary may be half changed and is to be dropped. One thread at a time, for const
// functions too.
class Summary {
public:
    explicit Summary(std::pmr::memory_resource &memory) noexcept : memory_(&memory) {}
    Summary(Summary &&) = default;
    Summary &operator=(Summary &&) = default;

    // Throws out_of_range as sample_of() does, then unchanged, and overflow beyond 2^63 - 1 events or tokens.
    void add(const Observation &event) { add(sample_of(event)); }
    void add(const Sample &sample)
    {
        if (!listed_) [[likely]]
            totals_->add(sample);
        else
            add_listed(sample);
    }

    // Adds the events of another summary; of itself, too. Throws overflow.
    void merge(const Summary &other);
    // The same from encoded bytes that `decode` has once accepted, without an object in between; on an empty summary
    // the quick way to load one. Safe on any bytes: what is damaged is refused before anything changes, but forms that
    // are not canonical pass.
    void merge_encoded(std::span<const std::uint8_t> bytes) { merge_encoded(bytes, Wanted{}); }
    // The same where only some of it will be asked for, which is quicker; it is not to be encoded afterwards.
    void merge_encoded(std::span<const std::uint8_t> bytes, const Wanted &wanted);

    // Whether it is the list of its samples, and these, ascending; none otherwise.
    [[nodiscard]] bool is_listed() const noexcept { return listed_; }
    [[nodiscard]] SampleList samples() const noexcept;
    // All counts and sums; made from the listed samples when first asked for.
    [[nodiscard]] const Totals &totals() const;

    // The one encoding of this summary: equal summaries are equal bytes. Returns how many there are; those that do not
    // fit are not written.
    [[nodiscard]] std::size_t encode(std::span<std::uint8_t> out) const noexcept;
    // Throws truncated, unknown_version or corrupt for whatever `encode` cannot have written. Takes memory in
    // proportion to the input, at most some 16 times its length.
    [[nodiscard]] static Summary decode(std::span<const std::uint8_t> bytes, std::pmr::memory_resource &memory);

    // A JSON object; see core/summary_text.cpp. The text is in `memory`. Throws syntax for any other text.
    [[nodiscard]] Array<char> to_text(std::pmr::memory_resource &memory) const;
    [[nodiscard]] static Summary from_text(std::string_view text, std::pmr::memory_resource &memory);

    void release() noexcept;

private:
    void add_listed(const Sample &sample);
    void make_totals() const;
    void stop_listing();
    void write(Writer &writer) const noexcept;

    std::pmr::memory_resource *memory_;
    mutable Totals *totals_ = nullptr; // null while listed and not asked for
    Array<Sample> samples_;            // as they came; empty when no longer listed
    bool listed_ = true;
};

} // namespace gravitas::telemetry::core
