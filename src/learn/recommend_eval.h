// How well lists of items meet what people took later: every item is ranked for every person, what
// they took in training left out. One thread, deterministic.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/id_lists.h"
#include "model/interactions.h"
#include "stat/ranking.h"

namespace attune {

struct RecommendSplit {
  Interactions train{{}, 0};
  std::vector<std::vector<std::uint32_t>> test;  // [person] sorted, none of them in training
  std::size_t test_pairs = 0;
  std::size_t repeated = 0;  // test pairs left out since they are in training
};
// Persons and items are numbered as they come, training first. kInvalid without a pair to train on
// or to test on.
Result<RecommendSplit> make_split(const std::vector<IdList>& train,
                                  const std::vector<IdList>& test);

// scores[j]: how much person `person` would like item j, by their training items.
using ItemScorer = std::function<void(std::uint32_t person, std::span<const std::uint32_t> history,
                                      std::span<float> scores)>;
struct RecommendScores {
  std::uint64_t persons = 0;
  MeanInterval recall, ndcg, hit_rate, reciprocal_rank;
  double coverage = 0;
  std::optional<double> popularity_bias;
};
// Over all persons with a test item. tick: called once a person.
RecommendScores evaluate_lists(const RecommendSplit& split, std::size_t k, const ItemScorer& scorer,
                               const std::function<void(std::uint32_t person)>& tick);

// The ways to rank, from chance to the best of ours.
struct RecommendMethod {
  std::string_view name;
  std::string_view summary;
  ItemScorer (*make)(const RecommendSplit& split, std::uint64_t seed);
};
std::span<const RecommendMethod> recommend_methods();

}  // namespace attune
