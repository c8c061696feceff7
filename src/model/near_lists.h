// NearLists: vectors in lists of those that are near each other (k-means), so that what has the
// greatest product with x is found by looking at the few lists whose middle has (an inverted file:
// Jegou et al. 2011). It holds no vectors but the middles; the vectors lie list after list.
// Deterministic for a seed. Const calls are safe to share.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace attune {

class NearLists {
 public:
  static constexpr double kRecall = 0.97;
  static constexpr std::size_t kWanted = 500;  // the candidates of a placement
  // Which vectors a list has: from begin, before end.
  struct Range {
    std::uint32_t begin = 0, end = 0;
  };
  NearLists() = default;
  // About sqrt(vectors) lists of the vectors, `size` numbers each (a multiple of 8). `order`
  // becomes the order they must be laid in: order[place] = number in `vectors`. All lists are
  // looked at until probe() says otherwise. O(vectors * lists * size), 1,000,000 of 64: some
  // seconds.
  NearLists(std::span<const float> vectors, std::size_t size, std::uint64_t seed,
            std::vector<std::uint32_t>& order);

  // From now on looks at the fewest lists that have kRecall of the kWanted greatest products, on
  // the average of the queries. `vectors`: as laid. O(queries * vectors * size).
  void probe(std::span<const float> vectors, std::span<const float> queries);
  // Lists to look at for the `wanted` greatest products with x, the nearest first: as many as
  // probe() found for kWanted, for more in proportion. They have `least` vectors or all. O(lists *
  // size).
  std::vector<Range> near(const float* x, std::size_t wanted, std::size_t least) const;

  std::size_t lists() const { return ends_.size(); }
  std::size_t probed() const { return probed_; }
  double recall() const { return recall_; }  // of kWanted, as probe() found it
  std::size_t memory_bytes() const { return 4 * (ends_.size() + middles_.size()); }
  void encode(std::string& out) const;
  // kCorrupt unless it is of so many vectors of this size.
  static Result<NearLists> decode(std::string_view bytes, std::size_t vectors, std::size_t size);

 private:
  Range range(std::size_t list) const { return {list == 0 ? 0 : ends_[list - 1], ends_[list]}; }
  std::vector<std::uint32_t> nearest_first(const float* x) const;

  std::size_t size_ = 0, probed_ = 0;
  double recall_ = 1;
  std::vector<std::uint32_t> ends_;  // by list, ascending
  std::vector<float> middles_;       // by list: the mean of its vectors, as found in a sample
};

}  // namespace attune
