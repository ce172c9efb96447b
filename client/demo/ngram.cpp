#include "ngram.hpp"

#include <algorithm>
#include <cctype>

namespace demo {

std::vector<std::string> split_words(std::string_view text)
{
    std::vector<std::string> words;
    std::string word;
    const auto end_word = [&] {
        word.erase(word.find_last_not_of("'-") + 1);
        if (!word.empty())
            words.push_back(std::move(word));
        word.clear();
    };
    for (const unsigned char c : text) {
        const bool inside_word = !word.empty() && (c == '\'' || c == '-');
        if (std::isalnum(c) != 0 || inside_word || c >= 0x80) { // the last: bytes of other letters in UTF-8
            word += static_cast<char>(std::tolower(c));
            continue;
        }
        end_word();
        if (std::string_view{".,;:?!"}.find(static_cast<char>(c)) != std::string_view::npos)
            words.emplace_back(1, static_cast<char>(c));
    }
    end_word();
    return words;
}

void NgramModel::learn(std::string_view text)
{
    std::vector<Word> words;
    for (const std::string &word : split_words(text))
        words.push_back(intern(word));
    for (std::size_t first = 0; first < words.size(); ++first) {
        const std::size_t length = std::min<std::size_t>(order_, words.size() - first);
        count_from(std::span{words}.subspan(first, length));
    }
}

NgramModel::Word NgramModel::intern(const std::string &word)
{
    const auto [known, added] = words_.try_emplace(word, static_cast<Word>(vocabulary_.size()));
    if (added)
        vocabulary_.push_back(word);
    return known->second;
}

void NgramModel::count_from(std::span<const Word> words)
{
    std::uint32_t node = 0;
    for (const Word word : words) {
        Edge &edge = edges_[edge_key(node, word)];
        ++nodes_[node].followers;
        if (edge.count++ == 0) {
            ++nodes_[node].distinct_followers;
            edge.child = static_cast<std::uint32_t>(nodes_.size());
            nodes_.emplace_back();
        }
        node = edge.child;
    }
}

std::vector<NgramModel::Word> NgramModel::encode(std::span<const std::string> prompt) const
{
    std::vector<Word> known;
    for (const std::string &word : prompt)
        if (const auto found = words_.find(word); found != words_.end())
            known.push_back(found->second);
    if (known.empty())
        throw UnknownPrompt("the model knows no word of the prompt");
    return known;
}

// The nodes of the last 0, 1, … order-1 words, as far as the corpus has such a sequence with a follower.
std::vector<std::uint32_t> NgramModel::contexts_of(std::span<const Word> history) const
{
    std::vector<std::uint32_t> contexts{0};
    const std::size_t longest = std::min<std::size_t>(order_ - 1, history.size());
    for (std::size_t length = 1; length <= longest; ++length) {
        std::uint32_t node = 0;
        for (const Word word : history.last(length)) {
            const auto edge = edges_.find(edge_key(node, word));
            if (edge == edges_.end())
                return contexts;
            node = edge->second.child;
        }
        if (nodes_[node].followers == 0)
            return contexts;
        contexts.push_back(node);
    }
    return contexts;
}

// Witten and Bell: each longer context takes over from the shorter one as much as it has evidence for.
double NgramModel::probability(Word word, std::span<const std::uint32_t> contexts) const
{
    double probability = 1.0 / static_cast<double>(vocabulary_.size());
    for (const std::uint32_t context : contexts) {
        const auto edge = edges_.find(edge_key(context, word));
        const double count = edge == edges_.end() ? 0 : edge->second.count;
        const double distinct = nodes_[context].distinct_followers;
        probability = (count + distinct * probability) / (nodes_[context].followers + distinct);
    }
    return probability;
}

NgramModel::Word NgramModel::next(std::span<const Word> history, std::mt19937 &draw) const
{
    const std::vector<std::uint32_t> contexts = contexts_of(history);
    std::vector<double> weights(vocabulary_.size());
    for (Word word = 0; word < weights.size(); ++word)
        weights[word] = probability(word, contexts);
    std::discrete_distribution<Word> distribution(weights.begin(), weights.end());
    return distribution(draw);
}

} // namespace demo
