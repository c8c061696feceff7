#include "collect/quality.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace attune {
namespace {

const Time kNow = time_from_us(1'795'612'000'000'000);  // 2026-11-25

// 1,000 rows of a column made by `cell` beside a label that is 1 in one row of four.
Quality looked_at(const std::function<std::string(int)>& cell, const std::string& name = "x") {
  auto quality =
      Quality::make(std::vector<std::string>{name, "n", "y"}, {.target = "y", .now = kNow});
  EXPECT_TRUE(quality.ok());
  for (int i = 0; i < 1000; ++i) {
    const std::string text = cell(i), other = std::to_string(i);
    quality->add(std::vector<std::string_view>{text, other, i % 4 == 0 ? "1" : "0"},
                 static_cast<std::uint64_t>(i) + 2);
  }
  return std::move(*quality);
}

std::string text_of(const QualityFinding& f) {
  std::string lines;
  for (const std::uint64_t line : f.lines) lines += " " + std::to_string(line);
  return std::string(weight_name(f.weight)) + " " + f.kind + " " + f.column + ": " + f.what + lines;
}

TEST(Quality, FindsWhatIsWrongWithAColumn) {
  const std::pair<std::function<std::string(int)>, std::string> cases[] = {
      {[](int i) { return i % 10 == 0 ? "" : "v" + std::to_string(i % 5); },
       "note missing x: 100 of 1,000 (10.0 %) cells are empty 2 12 22"},
      {[](int) { return "same"; }, "note constant x: always same"},
      {[](int) { return ""; }, "note empty x: no value in it"},
      {[](int i) { return i % 4 == 0 ? "bought" : "left"; },
       "stop leak x: its values tell the label of 100.00 % of the rows"},
      {[](int i) { return std::to_string(i + (i % 4 == 0 ? 5000 : 0)); },
       "stop leak x: as a number alone it ranks the labels with AUC about 1.0000"},
      {[](int i) { return i == 7 ? "N/A" : std::to_string(i % 50); },
       "warn placeholder x: 1 cells say \"N/A\" or the like 9"},
      {[](int i) { return i == 7 ? "seven" : std::to_string(i % 50); },
       "warn mixed_types x: 1 cells are no numbers, the first is seven 9"},
      {[](int i) { return std::to_string(i % 3 == 0 ? 20'000 + i : 20 + i % 9); },
       "warn mixed_units x: two clusters, around 25 and around 2.05e+04 (33 % of the cells in the "
       "smaller), with nothing between 3 1001"},
      {[](int i) { return std::to_string(i == 500 ? 90'000 : i % 100); },
       "warn outliers x: about 0.10 % of the numbers lie more than 8 robust deviations from the "
       "median 50; the farthest is 90000 (line 502) 502"},
      {[](int i) { return i == 3 ? "MÃ¼ller" : "Müller"; },
       "warn mojibake x: 1 cells look decoded wrongly, the first is MÃ¼ller 5"},
      {[](int i) { return i % 2 ? "Male" : "male"; },
       "note spellings x: the same value in capital and small letters: Male and male"},
      {[](int i) { return i == 4 ? " a" : "b"; },
       "note padded x: 1 cells have blanks around them 6"},
      {[](int i) { return i == 4 ? "2027-01-01" : "2026-01-01"; },
       "warn future x: 1 times lie in the future, the first is 2027-01-01 6"},
      {[](int i) { return i == 4 ? "1970-01-01" : "2026-01-01"; },
       "warn before_2000 x: 1 times lie before 2000, the first is 1970-01-01 6"},
      {[](int i) { return i == 4 ? "2026-01-01 10:00" : "2026-01-01T10:00:00Z"; },
       "warn mixed_zones x: times in different zones: Z, none 6"},
      {[](int i) { return "2026-01-0" + std::to_string(i % 2 ? 1 + i % 3 : 7); },
       "warn gaps x: 3 days without a row between 2026-01-01 and 2026-01-07: 2026-01-04 to "
       "2026-01-06"},
  };
  for (const auto& [cell, expected] : cases) {
    std::string all;
    bool is_found = false;
    for (const QualityFinding& finding : findings_of(looked_at(cell))) {
      EXPECT_FALSE(finding.why.empty() || finding.fix.empty()) << finding.kind;
      all += text_of(finding) + "\n";
      is_found |= text_of(finding) == expected;
    }
    EXPECT_TRUE(is_found) << expected << "\nnot in:\n" << all;
  }
}

TEST(Quality, CleanDataHasNoFindings) {
  const Quality quality = looked_at([](int i) { return std::to_string((i * 37) % 101); });
  for (const QualityFinding& finding : findings_of(quality)) ADD_FAILURE() << text_of(finding);
}

TEST(Quality, RowsAndKeysThatComeAgain) {
  auto quality = Quality::make(std::vector<std::string>{"id", "v"}, {.now = kNow});
  ASSERT_TRUE(quality.ok());
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::string id = std::to_string(i % 90), v = std::to_string(i < 95 ? i % 90 : i);
    quality->add(std::vector<std::string_view>{id, v}, i + 1);
  }
  EXPECT_EQ(quality->repeated_rows().count, 5u);
  EXPECT_EQ(quality->repeated_keys().count, 10u);
  EXPECT_EQ(quality->repeated_keys().lines, (std::vector<std::uint64_t>{91, 92, 93}));
}

TEST(Quality, WhatIsNotShownTellsRowsApartAndSparseColumnsMayBeEmpty) {
  auto quality =
      Quality::make(std::vector<std::string>{"name", "item"}, {.sparse = {"item"}, .now = kNow});
  ASSERT_TRUE(quality.ok());
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::string name = std::to_string(i % 2);
    quality->add(std::vector<std::string_view>{name, ""}, i + 1, i == 99 ? 98 : i);
  }
  EXPECT_EQ(quality->repeated_rows().count, 0u);  // the last two have different names
  quality->add(std::vector<std::string_view>{"1", ""}, 101, 98);
  EXPECT_EQ(quality->repeated_rows().count, 1u);
  const auto findings = findings_of(*quality);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].kind, "duplicate_rows");
}

TEST(Quality, VolumeIsByVerbAndDay) {
  auto quality = Quality::make(std::vector<std::string>{"event", "at"}, {.now = kNow});
  ASSERT_TRUE(quality.ok());
  for (int i = 0; i < 6; ++i) {
    quality->add(std::vector<std::string_view>{i % 3 ? "view" : "buy",
                                               i < 4 ? "2026-01-01 08:00" : "2026-01-02T08:00:00Z"},
                 static_cast<std::uint64_t>(i) + 1);
  }
  EXPECT_EQ(quality->volume().days.size(), 2u);
  EXPECT_EQ(quality->volume().days.begin()->second, 4u);
  EXPECT_EQ(quality->volume().verbs.at("buy").begin()->second, 2u);
}

TEST(Quality, UnknownTargetsAreNamed) {
  const auto quality = Quality::make(std::vector<std::string>{"age", "y"}, {.target = "agee"});
  ASSERT_FALSE(quality.ok());
  EXPECT_EQ(quality.error().message, "no column agee, did you mean age?");
}

TEST(Quality, ManyValuesAreEstimated) {
  auto quality = Quality::make(std::vector<std::string>{"x"}, {.now = kNow});
  ASSERT_TRUE(quality.ok());
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::string text = "v" + std::to_string(i);
    quality->add(std::vector<std::string_view>{text}, i);
  }
  EXPECT_FALSE(quality->columns()[0].is_exact());
  EXPECT_NEAR(quality->columns()[0].different(), 20'000, 3 * 0.023 * 20'000);
}

}  // namespace
}  // namespace attune
