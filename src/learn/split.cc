#include "learn/split.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>

#include "base/result.h"
#include "base/rng.h"

namespace attune {
namespace {

using Rows = std::vector<std::uint32_t>;

Rows all_rows(std::size_t n) {
  Rows rows(n);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

// The rows of each label in turn, in random order: dealing them out spreads each label evenly. Many
// labels (of numbers to predict) are one kind.
Rows by_label(std::span<const float> labels, std::uint64_t seed) {
  constexpr std::size_t kMostLabels = 16;
  std::map<std::uint32_t, Rows> rows;
  for (std::size_t i = 0; i < labels.size() && rows.size() <= kMostLabels; ++i) {
    rows[std::bit_cast<std::uint32_t>(labels[i])].push_back(static_cast<std::uint32_t>(i));
  }
  if (rows.size() > kMostLabels) rows = {{0, all_rows(labels.size())}};
  Rng rng(seed);
  Rows dealt;
  for (auto& [label, of_label] : rows) {
    rng.shuffle(of_label);
    dealt.insert(dealt.end(), of_label.begin(), of_label.end());
  }
  return dealt;
}

Rows by_time(std::span<const std::int64_t> times) {
  Rows rows = all_rows(times.size());
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return times[a] < times[b]; });
  return rows;
}

Split cut(const Rows& rows, std::size_t test_begin, std::size_t test_end) {
  const auto at = [&](std::size_t i) { return rows.begin() + static_cast<std::ptrdiff_t>(i); };
  Split split{{rows.begin(), at(test_begin)}, {at(test_begin), at(test_end)}};
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.test.begin(), split.test.end());
  return split;
}

// The nearest place from `place` on where the time changes, else the nearest before it.
std::size_t time_change(const Rows& rows, std::span<const std::int64_t> times, std::size_t place) {
  const auto is_change = [&](std::size_t i) { return times[rows[i]] != times[rows[i - 1]]; };
  for (std::size_t i = std::max<std::size_t>(place, 1); i < rows.size(); ++i) {
    if (is_change(i)) return i;
  }
  for (std::size_t i = std::min(place, rows.size() - 1); i > 0; --i) {
    if (is_change(i)) return i;
  }
  return place;
}

}  // namespace

Split random_split(std::span<const float> labels, double share, std::uint64_t seed) {
  CHECK(share > 0 && share < 1);
  const Rows dealt = by_label(labels, seed);
  Split split;
  double owed = 0.5;  // rounds to the nearest
  for (const std::uint32_t row : dealt) {
    owed += share;
    const bool is_test = owed >= 1;
    if (is_test) owed -= 1;
    (is_test ? split.test : split.train).push_back(row);
  }
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.test.begin(), split.test.end());
  return split;
}

Split time_split(std::span<const std::int64_t> times, double share) {
  CHECK(share > 0 && share < 1);
  const Rows rows = by_time(times);
  if (rows.size() < 2) return {rows, {}};
  const auto place =
      static_cast<std::size_t>(std::lround(static_cast<double>(rows.size()) * (1 - share)));
  return cut(rows, time_change(rows, times, std::min(place, rows.size() - 1)), rows.size());
}

std::vector<Split> random_folds(std::span<const float> labels, std::size_t k, std::uint64_t seed) {
  CHECK(k >= 2 && k <= labels.size());
  const Rows dealt = by_label(labels, seed);
  std::vector<Split> folds(k);
  for (std::size_t i = 0; i < dealt.size(); ++i) {
    for (std::size_t fold = 0; fold < k; ++fold) {
      (i % k == fold ? folds[fold].test : folds[fold].train).push_back(dealt[i]);
    }
  }
  for (Split& fold : folds) {
    std::sort(fold.train.begin(), fold.train.end());
    std::sort(fold.test.begin(), fold.test.end());
  }
  return folds;
}

std::vector<Split> time_folds(std::span<const std::int64_t> times, std::size_t k) {
  CHECK(k >= 1 && k + 1 <= times.size());
  const Rows rows = by_time(times);
  std::vector<Split> folds;
  for (std::size_t i = 1; i <= k; ++i) {
    folds.push_back(cut(rows, rows.size() * i / (k + 1), rows.size() * (i + 1) / (k + 1)));
  }
  return folds;
}

}  // namespace attune
