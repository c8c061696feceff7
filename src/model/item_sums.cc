#include "model/item_sums.h"

#include <algorithm>

namespace attune {

std::vector<Neighbour> best_of(std::vector<Neighbour> all, std::size_t limit) {
  const auto is_better = [](const Neighbour& a, const Neighbour& b) {
    return a.count != b.count ? a.count > b.count : raw(a.item) < raw(b.item);
  };
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(limit, all.size()));
  std::nth_element(all.begin(), end, all.end(), is_better);
  all.erase(end, all.end());
  std::sort(all.begin(), all.end(), is_better);
  return all;
}

}  // namespace attune
