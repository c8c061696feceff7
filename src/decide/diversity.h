// Diversity: a slate filled so that each item like one above counts for less. A score is worth
// score * (1 - diversity)^(sum of its likenesses, each in [0, 1], to the items above); at 1 each
// takes all but a millionth. Pure; one thread.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "decide/candidates.h"

namespace attune {

enum class Alike : std::uint8_t { kNot, kCategory, kMaker, kTags, kVector };

struct Resemblance {
  float share = 0;  // in [0, 1]
  Alike by = Alike::kNot;
};

// How alike the candidates of one request are; each row is made once. 1 for the same category, or
// the same brand or author; else the larger of the share of topics in common and 2 * cosine - 1 of
// the vectors. Only the best kMostCompared by score after boosts are compared: those beyond keep
// their order.
class Likeness {
 public:
  static constexpr std::size_t kMostCompared = 2000;
  // Their rank_by_boosts is set; they must outlive this.
  explicit Likeness(std::span<const Candidate> candidates);
  // Of all the compared, by rank_by_boosts, to this one; valid until this goes.
  std::span<const float> to(std::size_t candidate);
  Resemblance between(std::size_t a, std::size_t b) const;
  std::size_t compared() const { return kinds_.size(); }
  std::size_t rank_of(std::size_t candidate) const { return ranks_[candidate]; }
  double log_score(std::size_t rank) const { return log_scores_[rank]; }

 private:
  struct Kind {  // what is compared of an item, side by side
    const Item* item = nullptr;
    std::uint64_t category = 0, maker = 0;  // hashes, 0 = none
    std::uint64_t topics = 0;               // a bit of each
    float length = 0;                       // of its vector
  };
  static Kind kind_of(const Item& item);
  static bool may_be_alike(const Kind& a, const Kind& b);
  static Resemblance compare(const Kind& a, const Kind& b);

  std::span<const Candidate> candidates_;
  std::vector<std::uint32_t> ranks_;  // by candidate
  std::vector<Kind> kinds_;           // by rank, as is log_scores_
  std::vector<double> log_scores_;
  std::vector<std::vector<float>> rows_;  // by candidate, empty until asked for
};

// One filling of a slate. likeness must outlive it.
class Variety {
 public:
  Variety(Likeness& likeness, double diversity);
  // The place in `order` (candidates, best first) of the one worth most now; 0 for an empty one.
  std::size_t best(std::span<const std::size_t> order) const;
  void place(std::size_t candidate);
  // Share of its score that is left, and its logarithm.
  double factor(std::size_t candidate) const;
  // Logarithm of what it is worth, `without` not there.
  double log_worth(std::size_t candidate, std::optional<std::size_t> without = {}) const;
  // The most it can be worth.
  double log_score(std::size_t candidate) const;

 private:
  Likeness& likeness_;
  double log_left_;  // of one like item
  std::vector<float> totals_;
};

// Why it stands where it does; "" when diversity had no part in it. slate: candidates above, first
// place first. fell_below: id of the item that came before it by diversity, "" = none.
std::string diversity_sentence(const Likeness& likeness, std::size_t candidate,
                               std::span<const std::size_t> above, double factor,
                               const std::string& fell_below);

}  // namespace attune
