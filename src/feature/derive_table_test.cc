#include "feature/derive_table.h"

#include <gtest/gtest.h>

#include <functional>

namespace attune {
namespace {

// 1,000 rows of a column made by `cell`, beside a target y.
struct Made {
  std::vector<PlanFeature> features;
  std::string reason;
};
Made derived(const std::string& column, const std::function<std::string(int)>& cell,
             const DeriveOptions& options = {.target = "y"}) {
  TableSample sample(std::vector<std::string>{column, "z", "y"});
  for (int i = 0; i < 1000; ++i) {
    const std::string text = cell(i), other = std::to_string(i % 7);
    EXPECT_TRUE(sample.add(std::vector<std::string_view>{text, other, i % 5 == 0 ? "1" : "0"}));
  }
  const auto derived = derive_plan(sample, options);
  if (!derived.ok()) return {{}, derived.error().message};
  const PlanReason& reason = derived->reasons[0];
  const auto begin = derived->plan.features.begin();
  return {{begin + static_cast<std::ptrdiff_t>(reason.begin),
           begin + static_cast<std::ptrdiff_t>(reason.end)},
          reason.reason};
}

TEST(DerivePlan, GivesOneReasonAColumn) {
  const std::tuple<std::string, std::function<std::string(int)>, std::string> cases[] = {
      {"job", [](int i) { return "job" + std::to_string(i % 12); },
       "12 values in 1,000 rows: category"},
      {"who", [](int i) { return "w" + std::to_string(i); }, "every value differs: left out"},
      {"id", [](int i) { return std::to_string(i * 3); },
       "every value differs, as in a list of ids (0-2997): left out"},
      {"row", [](int i) { return std::to_string(i + 1); },
       "every value differs, as in a list of ids (1-1000): left out"},
      {"user_id", [](int i) { return std::to_string(i % 80); },
       "an id by its name, 80 values in 1,000 rows: category"},
      {"month", [](int i) { return std::to_string(i % 12 + 1); },
       "whole numbers, 12 values in 1,000 rows: category"},
      {"age", [](int i) { return std::to_string(18 + i % 78); },
       "number 18-95: standardised and in 10 bins"},
      {"heat", [](int i) { return i < 3 ? "" : std::to_string(i % 90 - 20); },
       "number -20 to 69: standardised and in 10 bins, a weight for the 3 cells without one"},
      {"pay", [](int i) { return std::to_string(i % 100 == 0 ? 90000 + i : 10 + i % 15); },
       "number 10-90900, median 17: its logarithm standardised and in 10 bins"},
      {"same", [](int) { return "x"; }, "always the same value: left out"},
      {"none", [](int) { return ""; }, "no value in it: left out"},
      {"rare", [](int i) { return i < 900 ? "r" + std::to_string(i % 300) : ""; },
       "300 values in 1,000 rows, 100 missing: category, values seen once share a weight"},
      {"at", [](int i) { return "2026-01-0" + std::to_string(i % 9 + 1) + "T10:00:00Z"; },
       "a time: hour and weekday"},
      {"v", [](int i) { return "[0." + std::to_string(i) + ", 2]"; }, "vectors of 2 numbers"},
      {"tags", [](int i) { return "t" + std::to_string(i % 5) + "|t" + std::to_string(i % 3); },
       "lists parted by \"|\", 5 different of 2,000 entries: bag"},
      {"text", [](int i) { return "see how it runs, number " + std::to_string(i); },
       "texts of 6 words on average: bag of words, those seen once share a weight"},
      {"Gender", [](int i) { return i % 2 ? "f" : "m"; },
       "sensitive (gender), allow = [\"gender\"] lets it in: left out"},
  };
  for (const auto& [column, cell, reason] : cases) {
    EXPECT_EQ(derived(column, cell).reason, reason) << column;
  }
}

TEST(DerivePlan, TheTargetsWordsAreFound) {
  const auto target = [](std::vector<std::string_view> values, DeriveOptions options) {
    TableSample sample(std::vector<std::string>{"a", "y"});
    for (std::size_t i = 0; i < 100; ++i) {
      sample.add(std::vector<std::string_view>{i % 3 ? "p" : "q", values[i % values.size()]});
    }
    const auto derived = derive_plan(sample, options);
    return derived.ok() ? derived->reasons[1].reason : derived.error().message;
  };
  EXPECT_EQ(target({"no", "yes"}, {.target = "y"}),
            "the target, 1 where it is yes: 50 of 100 rows");
  EXPECT_EQ(target({"0", "1"}, {.target = "y"}), "the target, 0 or 1");
  EXPECT_EQ(target({"-1", "1"}, {.target = "y"}), "the target, 1 where it is 1: 50 of 100 rows");
  EXPECT_EQ(target({"stay", "go", "stay"}, {.target = "y"}),
            "the target, 1 where it is go: 33 of 100 rows");
  EXPECT_EQ(target({"1.5", "2", "9"}, {.target = "y"}), "the target, a number 1.5-9");
  EXPECT_EQ(target({"a", "b", "c"}, {.target = "y"}), "target y: neither numbers nor two values");
  EXPECT_EQ(target({"a", "b", "c"}, {.target = "y", .positive = "c"}),
            "the target, 1 where it is c: 33 of 100 rows");
  EXPECT_EQ(target({"a", "b"}, {.target = "y", .positive = "d"}), "target y: no row has d");
  EXPECT_EQ(target({"a"}, {.target = "y"}), "target y: always the same value");
  EXPECT_EQ(target({"a"}, {.target = "yy"}), "no column yy, did you mean y?");
}

TEST(TableSample, IsSpreadOverAllRows) {
  TableSample sample(std::vector<std::string>{"n"});
  for (int i = 0; i < 100'000; ++i) {
    const std::string n = std::to_string(i);
    sample.add(std::vector<std::string_view>{n});
  }
  EXPECT_LE(sample.rows(), TableSample::kMostRows);
  EXPECT_GE(sample.rows(), TableSample::kMostRows / 2);
  for (std::size_t row = 0; row < sample.rows(); ++row) {
    ASSERT_EQ(sample.cell(row, 0), std::to_string(row * 8));
  }
}

TEST(DerivePlan, ItsTextIsAPlanThatMakesRows) {
  TableSample sample(std::vector<std::string>{"a\nb", "gender", "n", "y", "n", ""});
  for (int i = 0; i < 200; ++i) {
    const std::string n = std::to_string(i * i % 1009);
    sample.add(
        std::vector<std::string_view>{i % 2 ? "p" : "q", "f", n, i % 3 ? "no" : "yes", n, n});
  }
  const auto derived = derive_plan(sample, {.target = "y", .allow = {"gender"}});
  ASSERT_TRUE(derived.ok());
  const auto plan = Plan::declare(derived->toml(), "p");
  ASSERT_TRUE(plan.ok()) << plan.error().message << derived->toml();
  EXPECT_EQ(*plan, derived->plan);
  EXPECT_TRUE(TableRows::make(*plan, sample.columns()).ok());
}

// Entries that are values of another column say what came before, whatever the values look like.
TEST(DerivePlan, ListsOfWhatAnotherColumnHoldsAreSequences) {
  const auto of = [](const char* list, const char* item, int items) {
    TableSample sample(std::vector<std::string>{list, item, "y"});
    for (int i = 0; i < 1000; ++i) {
      std::string past;
      for (int j = 0; j < i % 5; ++j) past += std::to_string(7 * i * j % 30) + " ";
      const std::string now = std::to_string(i % items);
      EXPECT_TRUE(sample.add(std::vector<std::string_view>{past, now, i % 3 == 0 ? "1" : "0"}));
    }
    return derive_plan(sample, {.target = "y"}).value();
  };
  const DerivedPlan plan = of("seen", "film", 30);
  ASSERT_EQ(plan.plan.features.size(), 2U);
  EXPECT_EQ(plan.plan.features[0].kind, FeatureKind::kSequence);
  EXPECT_EQ(plan.plan.features[0].as, "column.film");
  EXPECT_EQ(plan.plan.features[1].kind, FeatureKind::kCategory);
  EXPECT_EQ(plan.reasons[0].reason,
            "lists of what column.film holds: sequence, the last entry is taken for the newest");
  EXPECT_EQ(plan.reasons[1].reason, "what column.seen lists, 30 values in 1,000 rows: category");
  EXPECT_TRUE(Plan::declare(plan.toml(), "derived").ok());
  for (const PlanFeature& feature : of("seen", "film", 12).plan.features) {  // few entries
    EXPECT_EQ(feature.as, "");
  }
}

}  // namespace
}  // namespace attune
