// Topics: what an item is about, as the words of its category and its tags. One word is one topic
// wherever it stands, so that a click on category "sport" says something of an item tagged
// "sport-fans". Pure.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

inline constexpr std::size_t kTopicCount = 12;  // of one item
// A word of a tag says less than the category, all of whose words together weigh 1.
inline constexpr float kTagWeight = 0.45F;

struct Topic {
  std::uint32_t id = 0;  // 0 is kept for "anything"
  float weight = 1;      // how much the item is about it
};

// Letters, digits and all bytes beyond ASCII make words; case of ASCII letters does not matter.
std::uint32_t topic_of(std::string_view word);
// Topics beyond kTopicCount are left out: category first, then tags in order.
std::vector<Topic> topics_of(std::string_view category, const std::vector<std::string>& tags);
// The words of those topics, one each, in the same order and lower case.
std::vector<std::string> topic_words(std::string_view category,
                                     const std::vector<std::string>& tags);

}  // namespace attune
