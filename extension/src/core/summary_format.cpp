// The encoded form of a summary.
//
//     byte  version, 1
//     byte  number of listed samples, 0 to 8, or 255: totals
//     then  the samples, ascending in all their members, or the totals (core/totals_format.cpp)
//
// A sample:
//
//     varint  time since the previous sample; the first one's time, signed
//     byte    its flags, and 128 where the value is duration / tokens generated and therefore left out
//     real    value; duration; first token; each if present
//     varint  prompt tokens; tokens generated; each if present

#include "core/summary.hpp"

namespace gravitas::telemetry::core {

namespace {

constexpr std::uint8_t version = 1;
constexpr std::uint8_t form_totals = 255;
constexpr std::uint8_t derived_value = 128;

double derived_score(const Sample &sample) noexcept { return sample.duration_ms / sample.tokens_generated; }

bool has_derived_score(const Sample &sample) noexcept
{
    return sample.has(Sample::has_value | Sample::has_duration | Sample::has_tokens_generated) &&
           sample.value == derived_score(sample);
}

void write_sample(Writer &writer, const Sample &sample) noexcept
{
    const bool derived = has_derived_score(sample);
    writer.byte(sample.flags | (derived ? derived_value : 0));
    if (sample.has(Sample::has_value) && !derived)
        writer.real(sample.value);
    if (sample.has(Sample::has_duration))
        writer.real(sample.duration_ms);
    if (sample.has(Sample::has_first_token))
        writer.real(sample.first_token_ms);
    if (sample.has(Sample::has_prompt_tokens))
        writer.varint(sample.prompt_tokens);
    if (sample.has(Sample::has_tokens_generated))
        writer.varint(sample.tokens_generated);
}

std::uint32_t read_tokens(Reader &reader)
{
    const std::uint64_t tokens = reader.varint();
    reader.check(tokens <= std::numeric_limits<std::int32_t>::max(), "number of tokens out of range");
    return static_cast<std::uint32_t>(tokens);
}

// The sample but for its time.
Sample read_sample(Reader &reader)
{
    Sample sample;
    const std::uint8_t flags = reader.byte();
    sample.flags = flags & 0x7f;
    if (sample.has(Sample::has_value) && (flags & derived_value) == 0)
        sample.value = reader.real() + 0.0;
    if (sample.has(Sample::has_duration))
        sample.duration_ms = reader.real() + 0.0;
    if (sample.has(Sample::has_first_token))
        sample.first_token_ms = reader.real() + 0.0;
    if (sample.has(Sample::has_prompt_tokens))
        sample.prompt_tokens = read_tokens(reader);
    if (sample.has(Sample::has_tokens_generated))
        sample.tokens_generated = read_tokens(reader);
    if ((flags & derived_value) != 0)
        sample.value = derived_score(sample);
    reader.check(valid(sample), "sample contradicts itself");
    return sample;
}

void check_version(Reader &reader)
{
    if (reader.byte() != version)
        throw Error{ErrorKind::unknown_version, "unknown version of the summary format"};
}

SampleList read_samples(Reader &reader, std::size_t count)
{
    SampleList list;
    std::int64_t at = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (i == 0) {
            at = reader.signed_varint();
        } else {
            const std::uint64_t later = reader.varint();
            reader.check(later <= largest_count - static_cast<std::uint64_t>(at), "time of a sample out of range");
            at = static_cast<std::int64_t>(static_cast<std::uint64_t>(at) + later);
        }
        Sample sample = read_sample(reader);
        sample.at = at;
        list.insert(sample);
    }
    return list;
}

} // namespace

void Summary::write(Writer &writer) const noexcept
{
    writer.byte(version);
    if (!listed_) {
        writer.byte(form_totals);
        totals_->write(writer);
        return;
    }
    const SampleList list = samples();
    writer.byte(static_cast<std::uint8_t>(list.size()));
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (i == 0)
            writer.signed_varint(list[i].at);
        else
            writer.varint(static_cast<std::uint64_t>(list[i].at) - static_cast<std::uint64_t>(list[i - 1].at));
        write_sample(writer, list[i]);
    }
}

Occurrence occurrence_of(std::span<const std::uint8_t> encoded)
{
    Reader reader{encoded};
    check_version(reader);
    const std::uint8_t form = reader.byte();
    if (form == form_totals) {
        const Counters counters = Totals::read_beginning(reader);
        return {counters.events, counters.first_at, counters.last_at};
    }
    reader.check(form <= most_listed, "unknown form of a summary");
    const SampleList list = read_samples(reader, form);
    return form == 0 ? Occurrence{} : Occurrence{form, list.begin()->at, (list.end() - 1)->at};
}

std::size_t Summary::encode(std::span<std::uint8_t> out) const noexcept
{
    Writer writer{out};
    write(writer);
    return writer.size();
}

void Summary::merge_encoded(std::span<const std::uint8_t> bytes, const Wanted &wanted)
{
    Reader reader{bytes};
    check_version(reader);
    const std::uint8_t form = reader.byte();
    if (form == form_totals) {
        const EncodedTotals added = Totals::read(reader, wanted);
        reader.expect_end();
        reader.check(added.counters.events > most_listed, "totals of events that would be listed");
        if (listed_)
            stop_listing();
        totals_->merge(added);
        return;
    }
    reader.check(form <= most_listed, "unknown form of a summary");
    const SampleList list = read_samples(reader, form);
    reader.expect_end();
    for (const Sample &sample : list)
        add(sample);
}

Summary Summary::decode(std::span<const std::uint8_t> bytes, std::pmr::memory_resource &memory)
{
    Summary summary{memory};
    summary.merge_encoded(bytes);
    Writer writer = Writer::comparing(bytes);
    summary.write(writer);
    writer.expect_equal();
    return summary;
}

} // namespace gravitas::telemetry::core
