#include "collect/mapping.h"

#include <utility>

namespace attune {
namespace {

constexpr std::pair<std::string_view, Verb> kVocabulary[] = {
    {"Impression", Verb::kImpression},
    {"Item Shown", Verb::kImpression},
    {"Post Viewed", Verb::kView},
    {"Promotion Viewed", Verb::kImpression},
    {"Product List Viewed", Verb::kImpression},
    {"Product Viewed", Verb::kView},
    {"Item Viewed", Verb::kView},
    {"Video Playback Started", Verb::kView},
    {"Product Clicked", Verb::kClick},
    {"Promotion Clicked", Verb::kClick},
    {"Item Clicked", Verb::kClick},
    {"Post Clicked", Verb::kClick},
    {"Link Clicked", Verb::kClick},
    {"Product Added to Wishlist", Verb::kLike},
    {"Post Liked", Verb::kLike},
    {"Item Liked", Verb::kLike},
    {"Liked", Verb::kLike},
    {"Comment Added", Verb::kComment},
    {"Post Commented", Verb::kComment},
    {"Commented", Verb::kComment},
    {"Product Reviewed", Verb::kComment},
    {"Product Shared", Verb::kShare},
    {"Cart Shared", Verb::kShare},
    {"Post Shared", Verb::kShare},
    {"Shared", Verb::kShare},
    {"Followed", Verb::kFollow},
    {"User Followed", Verb::kFollow},
    {"Products Searched", Verb::kSearch},
    {"Searched", Verb::kSearch},
    {"Product Added", Verb::kCart},
    {"Order Completed", Verb::kPurchase},
    {"Purchased", Verb::kPurchase},
    {"Hidden", Verb::kHide},
    {"Post Hidden", Verb::kHide},
    {"Item Hidden", Verb::kHide},
    {"Reported", Verb::kReport},
    {"Post Reported", Verb::kReport},
    {"Item Reported", Verb::kReport},
};

}  // namespace

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

EventMapping::EventMapping() {
  // Only what people do to items: "identify" and the like are calls, not event names.
  for (auto v = static_cast<int>(Verb::kImpression); v < static_cast<int>(Verb::kIdentify); ++v) {
    set(verb_name(static_cast<Verb>(v)), static_cast<Verb>(v));
  }
  for (const auto& [name, verb] : kVocabulary) set(name, verb);
}

void EventMapping::set(std::string_view name, Verb verb) { by_name_[ascii_lower(name)] = verb; }

Verb EventMapping::verb_of(std::string_view name) const {
  const auto found = by_name_.find(ascii_lower(name));
  return found == by_name_.end() ? Verb::kOther : found->second;
}

const EventMapping& default_event_mapping() {
  static const EventMapping mapping;
  return mapping;
}

}  // namespace attune
