#include "decide/diversity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/hash.h"
#include "model/float8.h"

namespace attune {
namespace {

constexpr double kLeastLeft = 1e-6;  // of a score at diversity 1, for each like item above
constexpr std::array<std::string_view, 5> kWords = {
    "", "same category as", "same brand or author as", "tags in common with",
    "vector close to that of"};

float product(std::span<const float> a, std::span<const float> b) {
  Float8 total;
  std::size_t i = 0;
  for (; i + 8 <= a.size(); i += 8) {
    total = multiply_add(Float8::load(&a[i]), Float8::load(&b[i]), total);
  }
  float out = sum(total);
  for (; i < a.size(); ++i) out += a[i] * b[i];
  return out;
}

// Of all topics of the two, the share that both have.
float topics_shared(const Item& a, const Item& b) {
  const auto has = [&](std::uint32_t id) {
    return std::any_of(b.topics.begin(), b.topics.end(),
                       [id](const Topic& topic) { return topic.id == id; });
  };
  const auto both = std::count_if(a.topics.begin(), a.topics.end(),
                                  [&](const Topic& topic) { return has(topic.id); });
  const auto all = static_cast<std::ptrdiff_t>(a.topics.size() + b.topics.size()) - both;
  return all <= 0 ? 0 : static_cast<float>(both) / static_cast<float>(all);
}

}  // namespace

Likeness::Likeness(std::span<const Candidate> candidates)
    : candidates_(candidates),
      kinds_(std::min(candidates.size(), kMostCompared)),
      log_scores_(kinds_.size()),
      rows_(candidates.size()) {
  ranks_.reserve(candidates.size());
  for (const Candidate& c : candidates)
    ranks_.push_back(static_cast<std::uint32_t>(c.rank_by_boosts));
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::size_t rank = rank_of(i);
    if (rank >= kinds_.size()) continue;
    kinds_[rank] = kind_of(*candidates[i].item);
    log_scores_[rank] = candidates[i].score > 0 ? std::log(candidates[i].score)
                                                : -std::numeric_limits<double>::infinity();
  }
}

Likeness::Kind Likeness::kind_of(const Item& item) {
  Kind kind{.item = &item, .maker = item.maker};
  if (!item.category.empty()) kind.category = std::max<std::uint64_t>(hash64(item.category), 1);
  for (const Topic& topic : item.topics) kind.topics |= std::uint64_t{1} << (topic.id % 64);
  if (!item.vector.empty()) kind.length = std::sqrt(product(item.vector, item.vector));
  return kind;
}

// Nearly all pairs are not: no branch but this one.
bool Likeness::may_be_alike(const Kind& a, const Kind& b) {
  return ((a.category == b.category) & (a.category != 0)) |
         ((a.maker == b.maker) & (a.maker != 0)) | ((a.topics & b.topics) != 0) |
         (a.length * b.length > 0);
}

Resemblance Likeness::compare(const Kind& a, const Kind& b) {
  if (a.category != 0 && a.category == b.category) return {1, Alike::kCategory};
  if (a.maker != 0 && a.maker == b.maker) return {1, Alike::kMaker};
  Resemblance out;
  if ((a.topics & b.topics) != 0) {
    const float share = topics_shared(*a.item, *b.item);
    if (share > 0) out = {share, Alike::kTags};
  }
  const float lengths = a.length * b.length;
  if (lengths > 0 && std::isfinite(lengths) && a.item->vector.size() == b.item->vector.size()) {
    const float near = std::min(2 * product(a.item->vector, b.item->vector) / lengths - 1, 1.0F);
    if (near > out.share) out = {near, Alike::kVector};
  }
  return out;
}

std::span<const float> Likeness::to(std::size_t candidate) {
  std::vector<float>& row = rows_[candidate];
  if (!row.empty()) return row;
  const Kind one = kind_of(*candidates_[candidate].item);
  row.resize(kinds_.size(), 0);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (may_be_alike(one, kinds_[i])) row[i] = compare(one, kinds_[i]).share;
  }
  return row;
}

Resemblance Likeness::between(std::size_t a, std::size_t b) const {
  return compare(kind_of(*candidates_[a].item), kind_of(*candidates_[b].item));
}

Variety::Variety(Likeness& likeness, double diversity)
    : likeness_(likeness),
      log_left_(std::log(std::max(1 - std::clamp(diversity, 0.0, 1.0), kLeastLeft))),
      totals_(likeness.compared(), 0) {}

std::size_t Variety::best(std::span<const std::size_t> order) const {
  std::size_t best = 0;
  double most = -std::numeric_limits<double>::infinity();
  for (std::size_t at = 0; at < order.size(); ++at) {
    const std::size_t rank = likeness_.rank_of(order[at]);
    if (rank >= totals_.size()) break;
    const double score = likeness_.log_score(rank);
    if (score <= most) break;  // the ones after have no more
    const double worth = score + log_left_ * double{totals_[rank]};
    if (worth <= most) continue;
    most = worth;
    best = at;
  }
  return best;
}

void Variety::place(std::size_t candidate) {
  const std::span<const float> row = likeness_.to(candidate);
  for (std::size_t i = 0; i < row.size(); ++i) totals_[i] += row[i];
}

double Variety::factor(std::size_t candidate) const {
  const std::size_t rank = likeness_.rank_of(candidate);
  return rank < totals_.size() ? std::exp(log_left_ * double{totals_[rank]}) : 1;
}

double Variety::log_worth(std::size_t candidate, std::optional<std::size_t> without) const {
  const std::size_t rank = likeness_.rank_of(candidate);
  if (rank >= totals_.size()) return -std::numeric_limits<double>::infinity();
  const float other = without ? likeness_.to(*without)[rank] : 0;
  return likeness_.log_score(rank) + log_left_ * double{totals_[rank] - other};
}

double Variety::log_score(std::size_t candidate) const {
  const std::size_t rank = likeness_.rank_of(candidate);
  return rank < totals_.size() ? likeness_.log_score(rank)
                               : -std::numeric_limits<double>::infinity();
}

std::string diversity_sentence(const Likeness& likeness, std::size_t candidate,
                               std::span<const std::size_t> above, double factor,
                               const std::string& fell_below) {
  std::array<int, kWords.size()> counts{};
  for (const std::size_t other : above) {
    ++counts[static_cast<std::size_t>(likeness.between(candidate, other).by)];
  }
  std::vector<std::string> reasons;
  for (std::size_t by = 1; by < counts.size(); ++by) {
    if (counts[by] == 0) continue;
    reasons.push_back(
        fmt::format("{} {} item{} above", kWords[by], counts[by], counts[by] == 1 ? "" : "s"));
  }
  if (reasons.empty()) return {};
  return fmt::format("diversity x{:.3g}: {}{}", factor,
                     fell_below.empty() ? "" : fmt::format("placed below {}: ", fell_below),
                     fmt::join(reasons, ", "));
}

}  // namespace attune
