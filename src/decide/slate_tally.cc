#include "decide/slate_tally.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace attune {
namespace {

constexpr std::size_t kTop = 10;
constexpr std::size_t kNear = 2;

double entropy_bits(const std::map<std::string_view, int>& counts, double total) {
  double bits = 0;
  for (const auto& [category, count] : counts) bits -= count / total * std::log2(count / total);
  return bits;
}

double age_days(const Item& item, Time now) {
  return std::max(0.0, static_cast<double>((now - item.created).count()) / 1e6 / 86400);
}

bool is_near(const Decision& made, const Decision& global) {
  std::set<std::string_view> known;
  for (const ShownItem& shown : global.shown) known.insert(shown.item_id);
  const auto others = std::count_if(made.shown.begin(), made.shown.end(), [&](const auto& shown) {
    return !known.contains(shown.item_id);
  });
  return static_cast<std::size_t>(others) <= kNear;
}

}  // namespace

SlateTally::SlateTally(const Catalog& catalog) : catalog_(catalog) {
  for (const auto& item : catalog.items()) may_be_shown_ += item->is_hidden ? 0 : 1;
}

void SlateTally::add(const Decision& made, const Decision& global) {
  if (made.shown.empty()) return;
  std::map<std::string_view, int> categories;
  double age = 0;
  for (const ShownItem& shown : made.shown) {
    ++shown_[shown.item_id];
    sums_.clicks += double{shown.p_click};
    const Item* const item = catalog_.find(shown.item_id);
    ++categories[item == nullptr ? std::string_view() : std::string_view(item->category)];
    if (item != nullptr) age += age_days(*item, made.time);
  }
  const auto places = static_cast<double>(made.shown.size());
  ++sums_.slates;
  sums_.places += places;
  sums_.categories += static_cast<double>(categories.size());
  sums_.entropy_bits += entropy_bits(categories, places);
  sums_.age_days += age / places;
  sums_.near_global += is_near(made, global) ? 1 : 0;
}

SlateFigures SlateTally::figures() const {
  SlateFigures out = sums_;
  if (out.slates == 0) return out;
  for (double* const mean : {&out.places, &out.categories, &out.entropy_bits, &out.clicks,
                             &out.age_days, &out.near_global}) {
    *mean /= static_cast<double>(out.slates);
  }
  std::vector<std::uint64_t> counts;
  for (const auto& [item, count] : shown_) counts.push_back(count);
  std::sort(counts.rbegin(), counts.rend());
  double top = 0;
  for (std::size_t i = 0; i < std::min(kTop, counts.size()); ++i) {
    top += static_cast<double>(counts[i]);
  }
  out.items = counts.size();
  out.top_ten = top / sums_.places;
  if (may_be_shown_ > 0) {
    out.coverage = static_cast<double>(out.items) / static_cast<double>(may_be_shown_);
  }
  return out;
}

}  // namespace attune
