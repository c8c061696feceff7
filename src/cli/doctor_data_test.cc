#include "cli/doctor_data.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

std::string lacking(const DataCounts& counts) {
  std::string out;
  for (const Finding& finding : check_data(counts)) {
    if (finding.health != Health::kOk) out += finding.check + ": " + finding.says + "; ";
  }
  return out;
}

TEST(DoctorData, NamesWhatIsTooLittle) {
  const DataCounts good{.items = 100,
                        .with_category = 90,
                        .with_tags = 0,
                        .events = 5000,
                        .decisions = 1000,
                        .impressions = 0,
                        .outcomes = 400,
                        .served = 5000,
                        .named = 300,
                        .of_items = 4000,
                        .unknown = 10,
                        .traits = 5,
                        .is_cut = false};
  EXPECT_EQ(lacking(good), "");
  DataCounts counts = good;
  counts.served = 0;
  EXPECT_EQ(lacking(counts), "negatives: 0 negative examples; ");
  counts = good;
  counts.outcomes = 12;
  counts.named = 1;
  EXPECT_EQ(lacking(counts),
            "outcomes: 12 outcomes; joins: 1 of 12 outcomes name their decision; ");
  counts = good;
  counts.with_category = 0;
  EXPECT_EQ(lacking(counts), "content: 0 of 100 items have a category, 0 have tags; ");
  counts = good;
  counts.unknown = 2000;
  EXPECT_EQ(lacking(counts),
            "known: 2,000 of 4,000 events name an item that is not in the catalog; ");
  EXPECT_EQ(lacking({}), "items: 0 items; outcomes: 0 outcomes; ");
}

}  // namespace
}  // namespace attune
