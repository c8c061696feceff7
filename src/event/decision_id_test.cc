#include "event/decision_id.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

TEST(DecisionId, HoldsItsTime) {
  // The ULID specification's example: 2016-07-30T23:54:10.259Z.
  EXPECT_EQ(decision_time("d_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            Time(std::chrono::milliseconds(1'469'922'850'259)));
}

TEST(DecisionId, OtherTextsAreNone) {
  for (const char* text : {"", "d_", "d_01ARZ3NDEKTSV4RRFFQ69G5FA", "x_01ARZ3NDEKTSV4RRFFQ69G5FAV",
                           "d_01ARZ3NDEKTSV4RRFFQ69G5FAU"}) {
    EXPECT_EQ(decision_time(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace attune
