// Measures of ranked lists against what people took. Pure; RankingTally is one thread's.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stat/metrics.h"

namespace attune {

// The k best of `scores`, best first. Equal scores: what counts as a hit (`relevant`, sorted
// indices) comes last, so that ties count against the ranker; then the lower index. `excluded`,
// sorted indices, is left out, also where it is relevant. A score that is NaN is the lowest. O(n).
struct TopRequest {
  std::span<const float> scores;
  std::span<const std::uint32_t> excluded;
  std::span<const std::uint32_t> relevant;
  std::size_t k = 20;
};
std::vector<std::uint32_t> top_of(const TopRequest& request);

// One list. is_hit: by place, best first; relevant: how many there are to find, at least 1.
struct ListScore {
  double recall = 0;           // hits / relevant
  double ndcg = 0;             // gain 1 / log2(1 + place), against min(places asked, relevant) hits
  double hit = 0;              // 1 with any hit
  double reciprocal_rank = 0;  // 1 / the first hit's place
};
ListScore score_list(std::span<const std::uint8_t> is_hit, std::size_t relevant, std::size_t k);

// A mean over persons with its 95 % interval (normal, by the spread over persons).
struct MeanInterval {
  double mean = 0;
  std::optional<Interval> interval;  // absent below two persons
};

// Means over persons, and what the lists show as a whole.
class RankingTally {
 public:
  // popularity: of each item, how often it was taken in training.
  RankingTally(std::span<const std::uint32_t> popularity, std::size_t k)
      : popularity_(popularity), k_(k), is_shown_(popularity.size(), 0) {}
  // list: items shown, best first; relevant: what the person took, sorted, not empty.
  void add(std::span<const std::uint32_t> list, std::span<const std::uint32_t> relevant);
  std::uint64_t persons() const { return persons_; }
  MeanInterval recall() const { return mean_of(recall_); }
  MeanInterval ndcg() const { return mean_of(ndcg_); }
  MeanInterval hit_rate() const { return mean_of(hit_); }
  MeanInterval reciprocal_rank() const { return mean_of(reciprocal_); }
  // Share of all items that were shown to anyone.
  double coverage() const;
  // Mean popularity of what was shown over that of what was taken: above 1, the lists show more
  // popular items than people took. nullopt when nothing taken had been taken before.
  std::optional<double> popularity_bias() const;

 private:
  struct Sums {
    double sum = 0, squares = 0;
    void add(double x) {
      sum += x;
      squares += x * x;
    }
  };
  MeanInterval mean_of(const Sums& sums) const;

  std::span<const std::uint32_t> popularity_;
  std::size_t k_;
  std::vector<std::uint8_t> is_shown_;
  std::uint64_t persons_ = 0;
  Sums recall_, ndcg_, hit_, reciprocal_, shown_, taken_;
  std::uint64_t shown_count_ = 0, taken_count_ = 0;
};

}  // namespace attune
