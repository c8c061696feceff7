#include "learn/recommend_eval.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <unordered_map>

#include "base/hash.h"
#include "base/rng.h"
#include "model/implicit_factors.h"
#include "model/item_factors.h"
#include "model/item_similarity.h"
#include "model/person_similarity.h"
#include "model/persons_alike.h"

namespace attune {
namespace {

constexpr std::size_t kBlock = 16;    // persons scored at a time
constexpr std::size_t kDrawn = 2000;  // items drawn for a person, more than any list holds

using Rows = std::vector<std::vector<std::uint32_t>>;

// Numbers from 0 in the order of first appearance.
class Numbering {
 public:
  std::uint32_t of(std::uint64_t id) {
    return index_.try_emplace(id, static_cast<std::uint32_t>(index_.size())).first->second;
  }
  std::size_t size() const { return index_.size(); }

 private:
  std::unordered_map<std::uint64_t, std::uint32_t> index_;
};

Rows numbered(const std::vector<IdList>& lists, Numbering& persons, Numbering& items) {
  Rows rows(persons.size());
  for (const IdList& list : lists) {
    const std::uint32_t person = persons.of(list.person);
    if (person >= rows.size()) rows.resize(person + 1);
    for (const std::uint64_t item : list.items) rows[person].push_back(items.of(item));
  }
  return rows;
}

// Sorts, and takes out what is twice or in training; how many were in training.
std::size_t clean(std::span<const std::uint32_t> train, std::vector<std::uint32_t>& row) {
  std::sort(row.begin(), row.end());
  row.erase(std::unique(row.begin(), row.end()), row.end());
  return std::erase_if(row, [&](std::uint32_t item) {
    return std::binary_search(train.begin(), train.end(), item);
  });
}

ItemScorer by_chance(const RecommendSplit&, std::uint64_t seed) {
  return [seed](std::uint32_t person, std::span<const std::uint32_t>, std::span<float> scores) {
    Rng rng(mix64(seed, person));
    for (float& score : scores) score = static_cast<float>(rng.uniform());
  };
}

ItemScorer by_popularity(const RecommendSplit& split, std::uint64_t) {
  return [&split](std::uint32_t, std::span<const std::uint32_t>, std::span<float> scores) {
    std::copy(split.train.counts().begin(), split.train.counts().end(), scores.begin());
  };
}

ItemScorer by_similarity(const RecommendSplit& split, const ItemSimilarityOptions& options) {
  const auto model = std::make_shared<const ItemSimilarity>(split.train, options);
  return [model](std::uint32_t, std::span<const std::uint32_t> history, std::span<float> scores) {
    model->score(history, scores);
  };
}

ItemScorer by_persons(const RecommendSplit& split, std::uint64_t) {
  const auto model = std::make_shared<PersonSimilarity>(split.train, PersonSimilarityOptions{});
  return [model](std::uint32_t person, std::span<const std::uint32_t> history,
                 std::span<float> scores) { model->score(person, history, scores); };
}

Surrogate surrogate_of(std::uint32_t person) { return Surrogate{mix64(person, 1)}; }
ItemKey key_of(std::uint32_t item) { return ItemKey{mix64(item, 2)}; }

// Items of each person in an order by chance, as lists have none; the newest last.
std::vector<std::vector<ItemKey>> taken_in_turn(const RecommendSplit& split, Rng& rng) {
  std::vector<std::vector<ItemKey>> out(split.train.persons());
  for (std::uint32_t person = 0; person < out.size(); ++person) {
    for (const std::uint32_t item : split.train.row(person)) out[person].push_back(key_of(item));
    rng.shuffle(out[person]);
  }
  return out;
}

// As a workspace has it: who took something lately, and of that the last, all bounded. Persons
// come in an order by chance.
ItemScorer by_persons_alike(const RecommendSplit& split, std::uint64_t seed) {
  struct Live {
    std::vector<std::vector<ItemKey>> taken;
    PersonsAlike model = PersonsAlike();
    std::unordered_map<ItemKey, std::uint32_t, IdHash> items = {};
  };
  Rng rng(seed);
  const auto live = std::make_shared<Live>(Live{taken_in_turn(split, rng)});
  std::vector<std::uint32_t> order(split.train.persons());
  std::iota(order.begin(), order.end(), 0U);
  rng.shuffle(order);
  for (const std::uint32_t person : order) {
    for (const ItemKey item : live->taken[person]) live->model.learn(surrogate_of(person), item);
  }
  for (std::uint32_t item = 0; item < split.train.items(); ++item) live->items[key_of(item)] = item;
  return [live](std::uint32_t person, std::span<const std::uint32_t>, std::span<float> scores) {
    std::fill(scores.begin(), scores.end(), 0.0F);
    const Surrogate own = surrogate_of(person);
    for (const Neighbour& one : live->model.score(live->taken[person], {&own, 1}, scores.size())) {
      scores[live->items.at(one.item)] = one.count;
    }
  };
}

// Persons are scored some at a time, so that the items' vectors are read once for all of them.
ItemScorer by_factors(const RecommendSplit& split, std::uint64_t seed) {
  struct Block {
    ImplicitFactors factors;
    std::vector<float> scores = {};
    std::size_t first = 0, count = 0;
  };
  const auto block = std::make_shared<Block>(Block{ImplicitFactors(split.train, {.seed = seed})});
  return [block](std::uint32_t person, std::span<const std::uint32_t>, std::span<float> scores) {
    const std::size_t items = block->factors.items();
    if (person < block->first || person >= block->first + block->count) {
      block->first = person;
      block->count = std::min(kBlock, block->factors.persons() - person);
      block->scores.resize(block->count * items);
      block->factors.score(person, block->count, block->scores);
    }
    const auto from =
        block->scores.begin() + static_cast<std::ptrdiff_t>((person - block->first) * items);
    std::copy_n(from, items, scores.begin());
  };
}

// As a workspace would have it: the vectors of items alone, that of a person from the last 30
// items.
ItemScorer by_item_factors(const RecommendSplit& split, std::uint64_t seed) {
  struct Live {
    std::vector<std::vector<ItemKey>> taken;
    ItemFactors model;
    std::unordered_map<ItemKey, std::uint32_t, IdHash> items = {};
  };
  const ImplicitFactorsOptions options{.size = 64, .seed = seed};
  std::vector<ItemKey> keys;
  for (std::uint32_t item = 0; item < split.train.items(); ++item) keys.push_back(key_of(item));
  Rng rng(seed);
  auto taken = taken_in_turn(split, rng);
  const auto live = std::make_shared<Live>(
      Live{std::move(taken), ItemFactors(keys, ImplicitFactors(split.train, options), options)});
  for (std::uint32_t item = 0; item < keys.size(); ++item) live->items[keys[item]] = item;
  return [live](std::uint32_t person, std::span<const std::uint32_t>, std::span<float> scores) {
    std::fill(scores.begin(), scores.end(), std::numeric_limits<float>::lowest());
    for (const Neighbour& one : live->model.score(live->taken[person], kDrawn)) {
      scores[live->items.at(one.item)] = one.count;
    }
  };
}

constexpr RecommendMethod kMethods[] = {
    {"random", "by chance", by_chance},
    {"popular", "what most people took", by_popularity},
    {"cosine", "items alike by the cosine of who took them; who took much counts less",
     [](const RecommendSplit& split, std::uint64_t) {
       return by_similarity(split, {.in = 0.5, .user = 0.5, .out = 0.5, .shrink = 3});
     }},
    {"user_user", "what the persons took who took most alike, rare items counting for more",
     by_persons},
    {"alike", "the same as a workspace has it: 32 items of 16,384 persons", by_persons_alike},
    {"ials", "persons and items as vectors of 128 numbers, by alternating least squares",
     by_factors},
    {"factors", "items alone as vectors of 64 numbers, a person's from the last 30 items",
     by_item_factors},
    {"p3", "items reached by walks of three steps, the beaten track avoided (P3, RP3beta)",
     [](const RecommendSplit& split, std::uint64_t) { return by_similarity(split, {}); }},
};

}  // namespace

Result<RecommendSplit> make_split(const std::vector<IdList>& train,
                                  const std::vector<IdList>& test) {
  Numbering persons, items;
  Rows train_rows = numbered(train, persons, items);
  RecommendSplit split;
  split.test = numbered(test, persons, items);
  train_rows.resize(persons.size());
  split.test.resize(persons.size());
  split.train = Interactions(std::move(train_rows), items.size());
  for (std::uint32_t person = 0; person < persons.size(); ++person) {
    split.repeated += clean(split.train.row(person), split.test[person]);
    split.test_pairs += split.test[person].size();
  }
  if (split.train.size() == 0) return Error{Code::kInvalid, "nobody took anything in training"};
  if (split.test_pairs == 0) {
    return Error{Code::kInvalid, "nothing to test on: nobody took anything new after training"};
  }
  return split;
}

RecommendScores evaluate_lists(const RecommendSplit& split, std::size_t k, const ItemScorer& scorer,
                               const std::function<void(std::uint32_t person)>& tick) {
  RankingTally tally(split.train.counts(), k);
  std::vector<float> scores(split.train.items());
  for (std::uint32_t person = 0; person < split.test.size(); ++person) {
    tick(person);
    const std::vector<std::uint32_t>& relevant = split.test[person];
    if (relevant.empty()) continue;
    const auto history = split.train.row(person);
    scorer(person, history, scores);
    tally.add(top_of({scores, history, relevant, k}), relevant);
  }
  return {tally.persons(),         tally.recall(),   tally.ndcg(),           tally.hit_rate(),
          tally.reciprocal_rank(), tally.coverage(), tally.popularity_bias()};
}

std::span<const RecommendMethod> recommend_methods() { return kMethods; }

}  // namespace attune
