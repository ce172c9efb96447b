// Word n-gram language models with Witten-Bell smoothing: small models, but real ones. Building one reads and
// counts a corpus; generating a token weighs every word of the vocabulary, as a large model's last layer does.

#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace demo {

// Lower-case words; a mark that ends a sentence or a clause is a word of its own.
std::vector<std::string> split_words(std::string_view text);

// A prompt of which the model knows no word: there is no context to continue, nor a shorter one to back off to.
class UnknownPrompt : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class NgramModel {
public:
    using Word = std::uint32_t;

    // An order of 3 predicts a word from the two before it.
    explicit NgramModel(int order) : order_(order) {}

    void learn(std::string_view text);

    // The words of the prompt that the model knows; throws UnknownPrompt if that is none of them.
    [[nodiscard]] std::vector<Word> encode(std::span<const std::string> prompt) const;

    // The next word after `history`, drawn by its probability.
    [[nodiscard]] Word next(std::span<const Word> history, std::mt19937 &draw) const;

    [[nodiscard]] const std::string &spelling(Word word) const { return vocabulary_[word]; }
    [[nodiscard]] std::size_t vocabulary_size() const noexcept { return vocabulary_.size(); }
    [[nodiscard]] std::size_t ngram_count() const noexcept { return edges_.size(); }

private:
    // The n-grams form a tree: a node is a sequence of words, an edge appends one. Node 0 is the empty sequence.
    struct Node {
        std::uint32_t followers = 0; // words seen after this sequence
        std::uint32_t distinct_followers = 0;
    };
    struct Edge {
        std::uint32_t count = 0;
        std::uint32_t child = 0;
    };

    static std::uint64_t edge_key(std::uint32_t node, Word word) { return std::uint64_t{node} << 32 | word; }
    Word intern(const std::string &word);
    void count_from(std::span<const Word> words);
    std::vector<std::uint32_t> contexts_of(std::span<const Word> history) const;
    double probability(Word word, std::span<const std::uint32_t> contexts) const;

    int order_;
    std::vector<std::string> vocabulary_;
    std::unordered_map<std::string, Word> words_;
    std::vector<Node> nodes_{1};
    std::unordered_map<std::uint64_t, Edge> edges_;
};

} // namespace demo
