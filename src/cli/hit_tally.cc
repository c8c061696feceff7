#include "cli/hit_tally.h"

#include <algorithm>
#include <cmath>

namespace attune {

void Hits::add(int rank) {
  ++asked;
  if (rank <= 0 || rank > static_cast<int>(kHitSlate)) return;
  ++hits;
  gain += 1 / std::log2(1 + double(rank));
}

double Hits::margin() const {
  if (asked == 0) return 0;
  return 1.96 * std::sqrt(hit_rate() * (1 - hit_rate()) / double(asked));
}

void HitTally::add(Share share, std::uint64_t played, int rank) {
  const std::uint64_t part = played * kParts / std::max<std::uint64_t>(1, wanted_);
  all_[index(share)].add(rank);
  parts_[std::min<std::size_t>(kParts - 1, part)][index(share)].add(rank);
  if (played * 4 >= wanted_ * 3) late_[index(share)].add(rank);
}

}  // namespace attune
