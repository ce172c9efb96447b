// The text form of a summary, times in µs as they were given:
//
//     {"samples":[{"at":5,"value":12.5,"duration_ms":1250,"prompt_tokens":20,"tokens_generated":100},
//                 {"at":9,"error":true}]}
// or, of more events than are listed,
//     {"events":9,"errors":1, …, "value":{"sum":[112.5,0],"squares":3,"sketch":{"count":8,…}}, …}

#include "core/summary.hpp"
#include "core/text.hpp"

namespace gravitas::telemetry::core {

namespace {

void write_sample(TextWriter &writer, const Sample &sample)
{
    writer.separate();
    writer.open('{');
    writer.member("at", sample.at);
    const auto mark = [&](Sample::Flag flag, std::string_view name) {
        if (sample.has(flag)) {
            writer.key(name);
            writer.raw("true");
        }
    };
    const auto member = [&](Sample::Flag flag, std::string_view name, auto number) {
        if (sample.has(flag))
            writer.member(name, number);
    };
    mark(Sample::error, "error");
    mark(Sample::unscored, "unscored");
    member(Sample::has_value, "value", sample.value);
    member(Sample::has_duration, "duration_ms", sample.duration_ms);
    member(Sample::has_first_token, "first_token_ms", sample.first_token_ms);
    member(Sample::has_prompt_tokens, "prompt_tokens", sample.prompt_tokens);
    member(Sample::has_tokens_generated, "tokens_generated", sample.tokens_generated);
    writer.close('}');
}

Sample read_sample(TextReader &reader)
{
    Sample sample;
    reader.separate();
    reader.open('{');
    sample.at = reader.member<std::int64_t>("at");
    const auto mark = [&](Sample::Flag flag, std::string_view name) {
        if (!reader.has_key(name))
            return;
        reader.check(reader.skip_word("true"), "expected true");
        sample.flags |= flag;
    };
    const auto member = [&]<typename Number>(Sample::Flag flag, std::string_view name, Number &number) {
        if (!reader.has_key(name))
            return;
        number = reader.number<Number>() + Number{0}; // -0 becomes 0
        sample.flags |= flag;
    };
    mark(Sample::error, "error");
    mark(Sample::unscored, "unscored");
    member(Sample::has_value, "value", sample.value);
    member(Sample::has_duration, "duration_ms", sample.duration_ms);
    member(Sample::has_first_token, "first_token_ms", sample.first_token_ms);
    member(Sample::has_prompt_tokens, "prompt_tokens", sample.prompt_tokens);
    member(Sample::has_tokens_generated, "tokens_generated", sample.tokens_generated);
    reader.close('}');
    reader.check(valid(sample), "sample contradicts itself");
    return sample;
}

} // namespace

Array<char> Summary::to_text(std::pmr::memory_resource &memory) const
{
    TextWriter writer{memory};
    if (!listed_) {
        totals_->write_text(writer);
        return writer.take();
    }
    writer.open('{');
    writer.key("samples");
    writer.open('[');
    for (const Sample &sample : samples())
        write_sample(writer, sample);
    writer.close(']');
    writer.close('}');
    return writer.take();
}

Summary Summary::from_text(std::string_view text, std::pmr::memory_resource &memory)
{
    TextReader reader{text};
    Summary summary{memory};
    TextReader ahead = reader;
    ahead.open('{');
    if (ahead.has_key("samples")) {
        reader = ahead;
        reader.open('[');
        while (!reader.closes(']')) {
            reader.check(summary.samples_.size() < most_listed, "more samples than are listed");
            summary.add(read_sample(reader));
        }
        reader.close('}');
    } else {
        summary.stop_listing();
        summary.totals_->read_text(reader);
        reader.check(summary.totals_->counters.events > most_listed, "totals of events that would be listed");
    }
    reader.expect_end();
    return summary;
}

} // namespace gravitas::telemetry::core
