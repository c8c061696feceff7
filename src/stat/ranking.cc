#include "stat/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace attune {
namespace {

constexpr double kZ = 1.96;

bool contains(std::span<const std::uint32_t> sorted, std::uint32_t x) {
  return std::binary_search(sorted.begin(), sorted.end(), x);
}

struct Scored {
  float score = 0;
  bool is_relevant = false;
  std::uint32_t index = 0;
};

bool is_before(const Scored& a, const Scored& b) {
  if (a.score != b.score) return a.score > b.score;
  if (a.is_relevant != b.is_relevant) return b.is_relevant;
  return a.index < b.index;
}

// Keeps the k best of what is pushed; the threshold rises as better ones come.
class Best {
 public:
  explicit Best(std::size_t k) : k_(k) { kept_.reserve(2 * k + 64); }
  float threshold() const { return threshold_; }
  void push(const Scored& one) {
    kept_.push_back(one);
    if (kept_.size() == kept_.capacity()) shrink();
  }
  std::vector<std::uint32_t> take() {
    std::sort(kept_.begin(), kept_.end(), is_before);
    std::vector<std::uint32_t> best;
    for (std::size_t i = 0; i < std::min(k_, kept_.size()); ++i) best.push_back(kept_[i].index);
    return best;
  }

 private:
  void shrink() {
    const auto last = kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(kept_.begin(), last, kept_.end(), is_before);
    threshold_ = last->score;
    kept_.resize(k_);
  }
  std::size_t k_;
  std::vector<Scored> kept_;
  float threshold_ = -std::numeric_limits<float>::infinity();
};

double discount(std::size_t place) { return 1 / std::log2(static_cast<double>(place) + 2); }

}  // namespace

std::vector<std::uint32_t> top_of(const TopRequest& request) {
  if (request.k == 0) return {};
  Best best(request.k);
  std::size_t next_excluded = 0;
  const std::span<const std::uint32_t> excluded = request.excluded;
  for (std::uint32_t i = 0; i < request.scores.size(); ++i) {
    const float score =
        std::isnan(request.scores[i]) ? -std::numeric_limits<float>::infinity() : request.scores[i];
    if (score < best.threshold()) continue;
    while (next_excluded < excluded.size() && excluded[next_excluded] < i) ++next_excluded;
    if (next_excluded < excluded.size() && excluded[next_excluded] == i) continue;
    best.push({score, contains(request.relevant, i), i});
  }
  return best.take();
}

ListScore score_list(std::span<const std::uint8_t> is_hit, std::size_t relevant, std::size_t k) {
  ListScore score;
  double hits = 0, gain = 0, ideal = 0;
  for (std::size_t place = 0; place < std::min(k, is_hit.size()); ++place) {
    if (is_hit[place] == 0) continue;
    if (hits == 0) score.reciprocal_rank = 1 / (static_cast<double>(place) + 1);
    hits += 1;
    gain += discount(place);
  }
  for (std::size_t place = 0; place < std::min(k, relevant); ++place) ideal += discount(place);
  if (relevant == 0) return {};
  score.recall = hits / static_cast<double>(relevant);
  score.ndcg = gain / ideal;
  score.hit = hits > 0 ? 1 : 0;
  return score;
}

void RankingTally::add(std::span<const std::uint32_t> list,
                       std::span<const std::uint32_t> relevant) {
  std::vector<std::uint8_t> is_hit;
  for (const std::uint32_t item : list) {
    is_hit.push_back(contains(relevant, item) ? 1 : 0);
    is_shown_[item] = 1;
    shown_.add(popularity_[item]);
  }
  for (const std::uint32_t item : relevant) taken_.add(popularity_[item]);
  shown_count_ += list.size();
  taken_count_ += relevant.size();
  const ListScore score = score_list(is_hit, relevant.size(), k_);
  recall_.add(score.recall);
  ndcg_.add(score.ndcg);
  hit_.add(score.hit);
  reciprocal_.add(score.reciprocal_rank);
  ++persons_;
}

double RankingTally::coverage() const {
  if (is_shown_.empty()) return 0;
  return static_cast<double>(std::count(is_shown_.begin(), is_shown_.end(), 1)) /
         static_cast<double>(is_shown_.size());
}

std::optional<double> RankingTally::popularity_bias() const {
  if (shown_count_ == 0 || taken_.sum <= 0) return std::nullopt;
  return shown_.sum / static_cast<double>(shown_count_) /
         (taken_.sum / static_cast<double>(taken_count_));
}

MeanInterval RankingTally::mean_of(const Sums& sums) const {
  if (persons_ == 0) return {};
  const double n = static_cast<double>(persons_);
  const double mean = sums.sum / n;
  if (persons_ < 2) return {mean, std::nullopt};
  const double variance = std::max(0.0, (sums.squares - n * mean * mean) / (n - 1));
  const double half = kZ * std::sqrt(variance / n);
  return {mean, Interval{std::max(0.0, mean - half), std::min(1.0, mean + half)}};
}

}  // namespace attune
