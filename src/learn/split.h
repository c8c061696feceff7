// Split: which rows are learned from and which only tested. Pure: same seed, same rows.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace attune {

struct Split {
  std::vector<std::uint32_t> train, test;  // row numbers, rising
};

// `share` of the rows, drawn at random, are tested; of each label alike (labels: any numbers, NaN
// is a label of its own), so that a rare label is on both sides. share in (0, 1).
Split random_split(std::span<const float> labels, double share, std::uint64_t seed);

// The latest rows are tested, about that share. Rows of the same time stay on one side, unless all
// are of one time (then the order of the rows decides).
Split time_split(std::span<const std::int64_t> times, double share);

// Each row is tested in exactly one of k folds and learned from in the others; labels spread as in
// random_split. 2 <= k <= rows.
std::vector<Split> random_folds(std::span<const float> labels, std::size_t k, std::uint64_t seed);

// Forward chaining: the rows by time are cut in k + 1 parts; fold i learns from the first i + 1
// and tests on the next. k + 1 <= rows.
std::vector<Split> time_folds(std::span<const std::int64_t> times, std::size_t k);

}  // namespace attune
