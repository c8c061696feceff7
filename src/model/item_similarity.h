// ItemSimilarity: how alike items are by who took them, of every pair that anyone took together,
// none cut off; and from it how much a person would like each item. For batch evaluation: the live
// counterpart is ItemItem. Immutable once made: safe to share.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/interactions.h"

namespace attune {

// score(j) = sum over the person's items i != j of G_ij / (d_i^in * d_j^out + shrink), with G_ij =
// sum over persons u who took both of d_u^-user, d being counts in training. {.5, 0, .5} is the
// cosine; {.7, .5, .3} is of the family of P3 and RP3beta (Cooper et al. 2014, Paudel et al. 2017):
// walks of three steps that avoid the beaten track.
struct ItemSimilarityOptions {
  double in = 0.7;
  double user = 0.5;
  double out = 0.3;
  double shrink = 0;  // makes little of pairs that few took
};

class ItemSimilarity {
 public:
  // O(sum over persons of the square of their count), 8 bytes a pair of items.
  ItemSimilarity(const Interactions& train, const ItemSimilarityOptions& options);
  // scores[j] of every item j; 0 where nothing speaks for it. history: item indices.
  void score(std::span<const std::uint32_t> history, std::span<float> scores) const;
  std::size_t items() const { return begins_.size() - 1; }
  std::size_t pairs() const { return pairs_.size(); }
  std::size_t memory_bytes() const { return pairs_.size() * sizeof(Pair); }

 private:
  struct Pair {
    std::uint32_t item = 0;
    float weight = 0;
  };
  std::vector<std::size_t> begins_;
  std::vector<Pair> pairs_;
};

}  // namespace attune
