// What an item is about, as profiles and rows see it: the words of its category and its tags as
// topics. One word is one topic wherever it stands, so that a click on category "sport" says
// something of an item tagged "sport-fans".
#pragma once
#include <string_view>

#include "catalog/catalog.h"
#include "profile/profile.h"

namespace attune {

// A tag says less than the category: all its words together weigh this much.
inline constexpr float kTagWeight = 0.45F;

// Letters, digits and all bytes beyond ASCII make words; case of ASCII letters does not matter.
// Topics beyond kTopicCount are left out: category first, then tags in order.
ItemView item_view(const Item& item);
std::uint32_t topic_of(std::string_view word);

}  // namespace attune
