// Rows in the manner of Criteo's: 13 numbers as tokens of their size, 26 categories of 4 to a
// million ids by a power law, one 32-bit hash a field. Every id has a true weight, so the best
// possible log loss is known. The same rows for the same seed.
#pragma once
#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/rng.h"
#include "model/examples.h"

namespace attune {

inline constexpr std::size_t kNumbers = 13;
inline constexpr std::size_t kCategories = 26;
inline constexpr std::size_t kFields = kNumbers + kCategories;

class CriteoLike {
 public:
  explicit CriteoLike(std::uint64_t seed) : rng_(seed) {}

  // Adds rows; true_loss() grows by -ln P(label) of each under its true probability.
  void add(std::size_t rows, Examples& to) {
    for (std::size_t r = 0; r < rows; ++r) {
      double logit = -1.5;
      for (std::uint32_t field = 0; field < kFields; ++field) {
        const std::uint64_t id = field < kNumbers ? number() : category(field);
        const std::uint64_t hash = mix64(field + 1, id);
        logit += weight(field, hash);
        to.features.push_back({static_cast<std::uint32_t>(hash >> 32), 1});
        to.fields.push_back(static_cast<std::uint16_t>(field));
      }
      const double p = 1 / (1 + std::exp(-logit));
      const bool label = rng_.chance(p);
      to.labels.push_back(label ? 1.0F : 0.0F);
      to.ends.push_back(static_cast<std::uint32_t>(to.features.size()));
      true_loss_ -= std::log(label ? p : 1 - p);
      clicks_ += label ? 1 : 0;
    }
  }
  double true_loss() const { return true_loss_; }
  double clicks() const { return clicks_; }

 private:
  std::uint64_t number() {
    const double x = std::exp(6 * rng_.uniform() * rng_.uniform());
    return x < 8 ? static_cast<std::uint64_t>(x)
                 : 8 + static_cast<std::uint64_t>(4 * std::log(x / 8));
  }
  // 4 ids for the first category, a million for the last.
  std::uint64_t category(std::uint32_t field) {
    const auto rank = static_cast<double>(field - kNumbers);
    const double ids = 4 * std::pow(10.0, 5.4 * rank / (kCategories - 1.0));
    return static_cast<std::uint64_t>(ids * std::pow(rng_.uniform(), 4));
  }
  static double weight(std::uint32_t field, std::uint64_t hash) {
    const auto uniform = static_cast<double>(hash & 0xffffff) / 0x1000000 - 0.5;
    return uniform * (field < kNumbers ? 0.6 : 1.2);
  }

  Rng rng_;
  double true_loss_ = 0, clicks_ = 0;
};

}  // namespace attune
