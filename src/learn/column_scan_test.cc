#include "learn/column_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/rng.h"

namespace attune {
namespace {

// 2,000 rows: y with rate 0.3, and columns made of it by `make(rng, y)`.
template <class Make>
std::vector<ColumnFinding> scan(std::vector<std::string> names, std::vector<bool> numeric,
                                Make make) {
  ColumnScan scan(std::move(names), std::move(numeric));
  Rng rng(5);
  for (int i = 0; i < 2000; ++i) {
    const bool y = rng.chance(0.3);
    const std::vector<std::string> cells = make(rng, y);
    const std::vector<std::string_view> views(cells.begin(), cells.end());
    scan.add(views, y);
  }
  return scan.findings();
}

TEST(ColumnScan, TellsCopiesFromNoise) {
  const auto found =
      scan({"copy", "text_copy", "noise", "id", "one", "empty"},
           {true, false, true, false, true, true}, [n = 0](Rng& rng, bool y) mutable {
             return std::vector<std::string>{y ? "1" : "0",
                                             y ? "yes" : "no",
                                             std::to_string(rng.below(1000)),
                                             "id" + std::to_string(n++),
                                             "4",
                                             ""};
           });
  EXPECT_TRUE(found[0].equals_label && found[1].equals_label);
  EXPECT_EQ(found[0].auc, 1.0);
  EXPECT_NEAR(*found[2].auc, 0.5, 0.05);
  EXPECT_NEAR(*found[3].auc, 0.5, 0.01);  // a value seen once says nothing of the other half
  EXPECT_TRUE(found[4].is_constant);
  EXPECT_FALSE(found[5].auc);
  EXPECT_EQ(found[5].missing, 2000u);
  const auto leaks = find_leaks(found);
  ASSERT_EQ(leaks.size(), 2u);
  EXPECT_EQ(leaks[0].message,
            "copy is the label under another name: if it is known only after the outcome, add "
            "--drop copy");
}

TEST(ColumnScan, SuspectsWhatIsStrongAndNamedForAnEndOrFarAhead) {
  const auto found = scan({"call_duration", "age"}, {true, true}, [](Rng& rng, bool y) {
    return std::vector<std::string>{std::to_string(rng.normal() + (y ? 1.0 : 0.0)),
                                    std::to_string(rng.normal() + (y ? 0.3 : 0.0))};
  });
  const auto leaks = find_leaks(found);
  ASSERT_EQ(leaks.size(), 1u);
  EXPECT_EQ(leaks[0].column, "call_duration");
  EXPECT_NE(leaks[0].message.find("its name speaks of what comes after"), std::string::npos);
  const std::vector<ColumnFinding> ahead = {{.column = "a", .auc = 0.93},
                                            {.column = "b", .auc = 0.7}};
  EXPECT_EQ(find_leaks(ahead).size(), 1u);
  const std::vector<ColumnFinding> honest = {{.column = "a", .auc = 0.75},
                                             {.column = "b", .auc = 0.7},
                                             {.column = "duration", .auc = 0.55}};
  EXPECT_TRUE(find_leaks(honest).empty());
}

TEST(ColumnScan, AlmostTheLabelIsFound) {
  const auto found = scan({"code"}, {false}, [](Rng& rng, bool y) {
    const bool is_wrong = rng.chance(0.002);
    return std::vector<std::string>{(y != is_wrong ? "p" : "n") + std::to_string(rng.below(5))};
  });
  EXPECT_FALSE(found[0].equals_label);
  const auto leaks = find_leaks(found);
  ASSERT_EQ(leaks.size(), 1u);
  EXPECT_NE(leaks[0].message.find("code alone tells the label (AUC 0.99"), std::string::npos)
      << leaks[0].message;
}

}  // namespace
}  // namespace attune
