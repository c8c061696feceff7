#include "learn/recommend_eval.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/rng.h"

namespace attune {
namespace {

const std::vector<IdList> kTrain = {{10, {1, 2}}, {11, {1, 2, 3}}, {12, {3, 4}}};
const std::vector<IdList> kTest = {{10, {3, 2, 3}}, {12, {99}}, {13, {1}}};

RecommendScores scores_of(const RecommendSplit& split, std::string_view name, std::size_t k) {
  for (const RecommendMethod& method : recommend_methods()) {
    if (method.name != name) continue;
    return evaluate_lists(split, k, method.make(split, 1), [](std::uint32_t) {});
  }
  ADD_FAILURE() << name;
  return {};
}

TEST(MakeSplit, NumbersPersonsAndItemsAndKeepsOnlyWhatIsNew) {
  const auto split = make_split(kTrain, kTest);
  ASSERT_TRUE(split.ok()) << split.error().message;
  EXPECT_EQ(split->train.persons(), 4U);
  EXPECT_EQ(split->train.items(), 5U);  // 1, 2, 3, 4, 99
  EXPECT_EQ(split->test[0], (std::vector<std::uint32_t>{2}));
  EXPECT_EQ(split->test[2], (std::vector<std::uint32_t>{4}));
  EXPECT_EQ(split->repeated, 1U);
  EXPECT_EQ(split->test_pairs, 3U);
  EXPECT_EQ(make_split({}, kTest).error().code, Code::kInvalid);
  EXPECT_EQ(make_split(kTrain, kTrain).error().code, Code::kInvalid);
}

TEST(EvaluateLists, ByHand) {
  const auto split = make_split(kTrain, kTest);
  ASSERT_TRUE(split.ok());
  // Popularity of 1, 2, 3, 4, 99 is 2, 2, 2, 1, 0. Person 10 has had 1 and 2, so 3 comes first: a
  // hit. Person 12 has had 3 and 4: 1 and 2 come first. Person 13 has had nothing: 1 ties with 2
  // and 3, and comes last of them.
  const RecommendScores first = scores_of(*split, "popular", 1);
  EXPECT_EQ(first.persons, 3U);
  EXPECT_DOUBLE_EQ(first.recall.mean, 1.0 / 3);
  EXPECT_DOUBLE_EQ(first.coverage, 3.0 / 5);  // 3 to the first, 1 and 2 to the others
  EXPECT_DOUBLE_EQ(scores_of(*split, "popular", 3).recall.mean, 1.0);
  EXPECT_DOUBLE_EQ(scores_of(*split, "p3", 1).recall.mean, 1.0 / 3);
}

// Two circles of persons who take from their own half of the items: those who are asked for what
// else they took find it, by whatever method that looks at more than counts.
TEST(EvaluateLists, EveryMethodFindsPlantedTastes) {
  Rng rng(6);
  std::vector<IdList> train, test;
  for (std::uint64_t person = 0; person < 100; ++person) {
    IdList known{person, {}}, later{person, {}};
    for (std::uint64_t item = 0; item < 60; ++item) {
      if ((item < 30) != (person < 50) || !rng.chance(0.4)) continue;
      (rng.chance(0.8) ? known : later).items.push_back(item);
    }
    train.push_back(known);
    test.push_back(later);
  }
  const auto split = make_split(train, test);
  ASSERT_TRUE(split.ok());
  const double popular = scores_of(*split, "popular", 10).recall.mean;
  for (const char* name : {"cosine", "p3", "user_user", "alike", "ials", "factors"}) {
    EXPECT_GT(scores_of(*split, name, 10).recall.mean, 1.4 * popular) << name;
  }
}

TEST(EvaluateLists, ChanceFollowsTheSeed) {
  const auto split = make_split(kTrain, kTest);
  ASSERT_TRUE(split.ok());
  EXPECT_EQ(scores_of(*split, "random", 2).recall.mean, scores_of(*split, "random", 2).recall.mean);
}

// Published figures on gowalla: popularity by our own count, .1570 for item-item lists (BARS).
TEST(EvaluateLists, ReproducesFiguresOfGowalla) {
  const char* const data = std::getenv("ATTUNE_DATA");
  const std::string folder = std::string(data ? data : "../shared/data") + "/gowalla-ngcf";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder << ": set ATTUNE_DATA";
  const auto train = read_id_lists(folder + "/train.txt");
  const auto test = read_id_lists(folder + "/test.txt");
  ASSERT_TRUE(train.ok() && test.ok());
  const auto split = make_split(*train, *test);
  ASSERT_TRUE(split.ok());
  EXPECT_EQ(split->train.size(), 810'128U);
  EXPECT_EQ(split->test_pairs, 217'242U);
  EXPECT_EQ(split->repeated, 0U);
  EXPECT_NEAR(scores_of(*split, "popular", 20).recall.mean, 0.0416, 0.00005);
  const RecommendScores p3 = scores_of(*split, "p3", 20);
  EXPECT_NEAR(p3.recall.mean, 0.1806, 0.00005);
  EXPECT_NEAR(p3.ndcg.mean, 0.1474, 0.00005);
  const RecommendScores persons = scores_of(*split, "user_user", 20);
  EXPECT_NEAR(persons.recall.mean, 0.1818, 0.00005);
  EXPECT_NEAR(persons.ndcg.mean, 0.1479, 0.00005);
}

}  // namespace
}  // namespace attune
