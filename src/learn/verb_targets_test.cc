#include "learn/verb_targets.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

std::string fault_of(const std::string& first, FurtherTargetOptions also = {}) {
  const auto tasks = verb_tasks(first, also);
  return tasks.ok() ? "" : tasks.error().message;
}

TEST(VerbTargets, AreTasksInTheOrderAskedForWithTheirWeights) {
  const auto tasks = verb_tasks("click", {{"purchase", "hide"}, {{"purchase", 3}}});
  ASSERT_TRUE(tasks.ok());
  ASSERT_EQ(tasks->size(), 3u);
  EXPECT_EQ((*tasks)[1].name, "purchase");
  EXPECT_EQ((*tasks)[1].weight, 3);
  EXPECT_EQ((*tasks)[2].weight, 1);
  const auto verbs = verbs_of(*tasks);
  ASSERT_TRUE(verbs.ok());
  EXPECT_EQ(*verbs, (std::vector<Verb>{Verb::kClick, Verb::kPurchase, Verb::kHide}));
}

TEST(VerbTargets, EveryOneCanBeAskedForAtOnce) {
  FurtherTargetOptions also;
  for (const Verb verb : target_verbs()) also.names.emplace_back(verb_name(verb));
  const std::string first = also.names.front();
  also.names.erase(also.names.begin());
  EXPECT_EQ(fault_of(first, also), "");
  EXPECT_LE(target_verbs().size(), kMostTasks);
}

TEST(VerbTargets, WhatIsNoneIsRefused) {
  EXPECT_EQ(fault_of("purchse"), "--target purchse: no such verb, did you mean purchase?");
  EXPECT_EQ(fault_of("impression"), "--target impression: no such verb of shown items");
  EXPECT_EQ(fault_of(""), "--target : no such verb of shown items");
  EXPECT_EQ(fault_of("click,purchase"), "--target click,purchase: no such verb of shown items");
  EXPECT_EQ(fault_of("click", {{"identify"}}), "--also identify: no such verb of shown items");
  EXPECT_EQ(fault_of("click", {{"hide", "hide"}}), "--also hide: it is a target already");
  EXPECT_EQ(fault_of("click", {std::vector<std::string>(100'000, "like")}),
            "--also like: it is a target already");
  EXPECT_EQ(fault_of("click", {{"hide"}, {{"like", 2}}}),
            "--weight-of like: it is not among the targets");
}

}  // namespace
}  // namespace attune
