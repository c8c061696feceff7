#include "model/item_item.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "model/sealed.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "AITM";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMaxRecent = 30;

bool is_key_less(const Neighbour& a, const Neighbour& b) { return raw(a.item) < raw(b.item); }

bool is_better(const Neighbour& a, const Neighbour& b) {
  return a.count != b.count ? a.count > b.count : raw(a.item) < raw(b.item);
}

}  // namespace

void ItemItem::learn(std::span<const ItemKey> recent, ItemKey item) {
  if (item == ItemKey{}) return;
  const std::size_t used = std::min(recent.size(), kMaxRecent);
  for (std::size_t d = 1; d <= used; ++d) {
    const ItemKey before = recent[recent.size() - d];
    if (before == item || before == ItemKey{}) continue;
    const auto amount = static_cast<float>(1 / std::sqrt(static_cast<double>(d)));
    Line& line = lines_[before];
    line.sum += amount;
    auto& all = line.neighbours;
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Neighbour& n) { return n.item == item; });
    if (found != all.end()) {
      found->count += amount;
    } else if (all.size() < kMaxNeighbours) {
      all.push_back({item, amount});
    } else {
      *std::max_element(all.begin(), all.end(), is_better) = {item, amount};
    }
  }
}

std::vector<Neighbour> ItemItem::score(std::span<const ItemKey> recent, std::size_t limit) const {
  std::unordered_map<ItemKey, double, IdHash> sums;
  double decay = 1;
  for (std::size_t k = 0; k < std::min(recent.size(), kMaxRecent); ++k, decay *= 0.6) {
    const auto line = lines_.find(recent[recent.size() - 1 - k]);
    if (line == lines_.end()) continue;
    const double scale = decay / std::pow(static_cast<double>(line->second.sum), 0.4);
    for (const Neighbour& n : line->second.neighbours) sums[n.item] += scale * n.count;
  }
  std::vector<Neighbour> best;
  best.reserve(sums.size());
  for (const auto& [item, sum] : sums) best.push_back({item, static_cast<float>(sum)});
  const auto end = best.begin() + static_cast<std::ptrdiff_t>(std::min(limit, best.size()));
  std::partial_sort(best.begin(), end, best.end(), is_better);
  best.erase(end, best.end());
  return best;
}

void ItemItem::encode(std::string& out) const {
  std::vector<ItemKey> keys;
  keys.reserve(lines_.size());
  for (const auto& [key, line] : lines_) keys.push_back(key);
  std::sort(keys.begin(), keys.end(), [](ItemKey a, ItemKey b) { return raw(a) < raw(b); });
  std::string body;
  Writer w(body);
  w.varint(keys.size());
  for (const ItemKey key : keys) {
    const Line& line = lines_.at(key);
    std::vector<Neighbour> sorted = line.neighbours;
    std::sort(sorted.begin(), sorted.end(), is_key_less);
    w.u64(raw(key));
    w.f32(line.sum);
    w.varint(sorted.size());
    for (const Neighbour& n : sorted) {
      w.u64(raw(n.item));
      w.f32(n.count);
    }
  }
  seal(kMagic, kVersion, body, out);
}

Result<ItemItem> ItemItem::decode(std::string_view bytes) {
  const Error corrupt{Code::kCorrupt, "AITM: the item-item counts make no sense"};
  TRY(const std::string_view body, unseal(kMagic, kVersion, bytes));
  Reader r(body);
  ItemItem model;
  const std::uint64_t lines = r.varint();
  for (std::uint64_t i = 0; i < lines && r.ok(); ++i) {
    Line& line = model.lines_[ItemKey{r.u64()}];
    line.sum = r.f32();
    const std::uint64_t size = r.varint();
    if (!r.ok() || !(line.sum > 0) || size > kMaxNeighbours) return corrupt;
    for (std::uint64_t k = 0; k < size; ++k) {
      const ItemKey item{r.u64()};
      line.neighbours.push_back({item, r.f32()});
    }
  }
  if (!r.ok() || !r.done() || model.lines_.size() != lines) return corrupt;
  return model;
}

}  // namespace attune
