#include "feature/item_view.h"

#include <algorithm>
#include <cmath>

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

void add_topic(ItemView& view, std::uint32_t id, float weight) {
  const auto begin = view.topics.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(view.topic_count);
  if (view.topic_count == kTopicCount) return;
  if (std::any_of(begin, end, [id](const Topic& t) { return t.id == id; })) return;
  view.topics[view.topic_count++] = {id, weight};
}

}  // namespace

std::uint32_t topic_of(std::string_view word) {
  std::array<char, kLongestWord> lower{};
  const std::size_t n = std::min(word.size(), kLongestWord);
  for (std::size_t i = 0; i < n; ++i) {
    lower[i] = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] + 32) : word[i];
  }
  const auto id = static_cast<std::uint32_t>(hash64({lower.data(), n}) >> 32);
  return id == 0 ? 1 : id;
}

ItemView item_view(const Item& item) {
  ItemView view;
  view.key = item.key;
  for_words(item.category, [&](auto word) { add_topic(view, topic_of(word), 1); });
  const std::size_t of_category = view.topic_count;
  for (const std::string& tag : item.tags) {
    for_words(tag, [&](auto word) { add_topic(view, topic_of(word), kTagWeight); });
  }
  const float share = 1 / std::sqrt(static_cast<float>(std::max<std::size_t>(1, of_category)));
  for (std::size_t i = 0; i < of_category; ++i) view.topics[i].weight = share;
  return view;
}

}  // namespace attune
