// HitTally: for each way of choosing, how often the next real item stood in its slate of ten, and
// how high; over the run and in its last quarter. One thread.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "cli/tally.h"

namespace attune {

inline constexpr std::size_t kHitSlate = 10;

struct Hits {
  std::uint64_t asked = 0, hits = 0;
  double gain = 0;  // sum of 1 / log2(1 + rank), rank from 1
  double hit_rate() const { return asked != 0 ? double(hits) / double(asked) : 0; }
  double ndcg() const { return asked != 0 ? gain / double(asked) : 0; }
  // 1.96 standard errors of the hit rate: its 95 % interval is that far to both sides.
  double margin() const;
  void add(int rank);  // 0 = not in the slate
};

class HitTally {
 public:
  static constexpr std::size_t kParts = 24;  // of the run, for curves
  explicit HitTally(std::uint64_t wanted) : wanted_(wanted) {}
  // rank: of the next real item in the slate, from 1; 0 = not there. played: steps so far.
  void add(Share share, std::uint64_t played, int rank);
  const Hits& all(Share share) const { return all_[index(share)]; }
  const Hits& late(Share share) const { return late_[index(share)]; }  // the last quarter
  const Hits& part(Share share, std::size_t part) const { return parts_[part][index(share)]; }

 private:
  static std::size_t index(Share share) { return static_cast<std::size_t>(share); }
  std::uint64_t wanted_;
  std::array<Hits, kShares> all_{}, late_{};
  std::array<std::array<Hits, kShares>, kParts> parts_{};
};

}  // namespace attune
