#include "event/topic.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"

namespace attune {
namespace {

constexpr std::size_t kLongestWord = 64;

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

template <class Use>
void for_words(std::string_view text, const Use& use) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_word_byte(text[end])) ++end;
    if (end > i) use(text.substr(i, std::min(end - i, kLongestWord)));
    i = end + 1;
  }
}

struct Word {
  std::string_view text;
  Topic topic;
};

std::vector<Word> words_of(std::string_view category, const std::vector<std::string>& tags) {
  std::vector<Word> words;
  const auto add = [&](std::string_view text, float weight) {
    const std::uint32_t id = topic_of(text);
    const bool is_there = std::any_of(words.begin(), words.end(),
                                      [id](const Word& word) { return word.topic.id == id; });
    if (!is_there && words.size() < kTopicCount) words.push_back({text, {id, weight}});
  };
  for_words(category, [&](std::string_view text) { add(text, 1); });
  const float share = 1 / std::sqrt(static_cast<float>(std::max<std::size_t>(1, words.size())));
  for (Word& word : words) word.topic.weight = share;
  for (const std::string& tag : tags) {
    for_words(tag, [&](std::string_view text) { add(text, kTagWeight); });
  }
  return words;
}

std::string lower(std::string_view word) {
  std::string out(word.substr(0, kLongestWord));
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

}  // namespace

std::uint32_t topic_of(std::string_view word) {
  const auto id = static_cast<std::uint32_t>(hash64(lower(word)) >> 32);
  return id == 0 ? 1 : id;
}

std::vector<Topic> topics_of(std::string_view category, const std::vector<std::string>& tags) {
  std::vector<Topic> topics;
  for (const Word& word : words_of(category, tags)) topics.push_back(word.topic);
  topics.shrink_to_fit();
  return topics;
}

std::vector<std::string> topic_words(std::string_view category,
                                     const std::vector<std::string>& tags) {
  std::vector<std::string> texts;
  for (const Word& word : words_of(category, tags)) texts.push_back(lower(word.text));
  return texts;
}

}  // namespace attune
