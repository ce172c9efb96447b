#include "text_models.hpp"

#include "ngram.hpp"
#include "progress.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace demo {

namespace fs = std::filesystem;
using gravitas::telemetry::Client;
using gravitas::telemetry::TimedScope;
using Words = std::vector<std::string>;

namespace {

constexpr int orders[] = {2, 3, 4};
constexpr int loads = 3;
constexpr std::size_t prompts = 60;
constexpr std::size_t longest_answer = 60;
constexpr std::size_t corpus_limit = 512 * 1024; // keeps the run short when the folder is large

struct Corpus {
    std::vector<fs::path> files;
    std::size_t bytes = 0;
    bool cut = false;
};

struct Answers {
    std::size_t given = 0;
    std::size_t failed = 0;
    std::size_t tokens = 0;
    std::string sample;
};

std::string read_file(const fs::path &path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

Corpus find_corpus(const fs::path &folder)
{
    if (!fs::is_directory(folder))
        throw std::runtime_error(folder.string() + ": no such folder; name one with text files: --corpus DIR");
    std::vector<fs::path> files;
    for (const fs::directory_entry &entry : fs::directory_iterator(folder))
        if (entry.is_regular_file())
            files.push_back(fs::canonical(entry.path()));
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end()); // GPL is a link to GPL-3

    Corpus corpus;
    for (const fs::path &file : files) {
        const std::size_t size = fs::file_size(file);
        corpus.cut = corpus.bytes + size > corpus_limit;
        if (corpus.cut)
            break;
        corpus.files.push_back(file);
        corpus.bytes += size;
    }
    return corpus;
}

// A load as an application has it: from the files on disk to a model that can answer.
NgramModel load_model(Client &client, const std::string &name, int order, const Corpus &corpus)
{
    const TimedScope timer = client.time_load(name);
    NgramModel model(order);
    for (const fs::path &file : corpus.files)
        model.learn(read_file(file));
    return model;
}

// Pieces of the corpus, evenly spread over it and 4 to 12 words long, and one in words that are in no text.
std::vector<Words> choose_prompts(const Corpus &corpus)
{
    Words text;
    for (const fs::path &file : corpus.files)
        for (std::string &word : split_words(read_file(file)))
            text.push_back(std::move(word));
    constexpr std::size_t shortest = 4;
    constexpr std::size_t lengths = 9;
    if (text.size() < prompts * (shortest + lengths))
        throw std::runtime_error("the corpus has " + grouped(text.size()) + " words, too few to learn from");

    std::vector<Words> chosen;
    for (std::size_t i = 0; i < prompts; ++i) {
        const auto first = text.begin() + static_cast<std::ptrdiff_t>(i * (text.size() / prompts));
        chosen.emplace_back(first, first + static_cast<std::ptrdiff_t>(shortest + i % lengths));
    }
    chosen.push_back({"qzxv", "wvkq", "xxjz"});
    return chosen;
}

// One call of the model: continues the prompt to the end of the sentence.
Words answer(Client &client, const std::string &name, const NgramModel &model, const Words &prompt, std::mt19937 &draw)
{
    TimedScope timer = client.time_thought(name, static_cast<std::int32_t>(prompt.size()));
    std::vector<NgramModel::Word> history = model.encode(prompt);
    Words words;
    while (words.size() < longest_answer && (words.empty() || words.back() != ".")) {
        history.push_back(model.next(history, draw));
        words.push_back(model.spelling(history.back()));
        if (words.size() == 1)
            timer.first_token();
    }
    timer.tokens(static_cast<std::int32_t>(words.size()));
    return words;
}

std::string sentence(const Words &words)
{
    std::string text;
    for (const std::string &word : words) {
        const bool mark = word.size() == 1 && std::string_view{".,;:?!"}.find(word[0]) != std::string_view::npos;
        text += (text.empty() || mark ? "" : " ") + word;
    }
    return text;
}

Answers ask(Client &client, const std::string &name, const NgramModel &model, const std::vector<Words> &asked)
{
    Answers answers;
    std::mt19937 draw(1); // a fixed seed: the same text on every run, only the times differ
    for (const Words &prompt : asked) {
        try {
            const Words words = answer(client, name, model, prompt, draw);
            ++answers.given;
            answers.tokens += words.size();
            const bool good_sample = words.size() >= 6 && words.size() <= 14 && words.back() == ".";
            if (answers.sample.empty() && good_sample)
                answers.sample = sentence(prompt) + " … " + sentence(words);
        } catch (const UnknownPrompt &) {
            ++answers.failed; // the scope of answer() has logged it as an error
        }
    }
    return answers;
}

} // namespace

void run_text_models(Client &client, const fs::path &corpus_folder)
{
    const Corpus corpus = find_corpus(corpus_folder);
    const std::vector<Words> asked = choose_prompts(corpus);
    std::printf("Timing three n-gram language models, built from %zu texts (%s kB%s) of %s\n", corpus.files.size(),
                grouped(corpus.bytes / 1000).c_str(), corpus.cut ? ", the rest is left out" : "",
                corpus_folder.c_str());
    for (const int order : orders) {
        const std::string name = "ngram-" + std::to_string(order);
        std::optional<NgramModel> model;
        for (int i = 0; i < loads; ++i)
            model = load_model(client, name, order, corpus);
        std::printf("  %s: loaded %d times (%s n-grams, %s words), ", name.c_str(), loads,
                    grouped(model->ngram_count()).c_str(), grouped(model->vocabulary_size()).c_str());
        std::fflush(stdout);
        const Answers answers = ask(client, name, *model, asked);
        std::printf("answered %zu prompts with %s tokens, failed on %zu\n", answers.given,
                    grouped(answers.tokens).c_str(), answers.failed);
        if (!answers.sample.empty())
            std::printf("    \"%s\"\n", answers.sample.c_str());
    }
}

} // namespace demo
