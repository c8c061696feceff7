#include "feature/sensitive.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace attune {
namespace {

TEST(Sensitive, NamesAreCutIntoWords) {
  EXPECT_EQ(words_of_name("sexualOrientation"), "sexual orientation");
  EXPECT_EQ(words_of_name("home_religion-2"), "home religion 2");
  EXPECT_EQ(words_of_name("GENDER"), "gender");
  EXPECT_EQ(words_of_name("__"), "");
}

TEST(Sensitive, WordsCountNotLetters) {
  const Sensitive usual{usual_sensitive_names(), {}};
  for (const char* name : {"gender", "Gender", "user_gender", "sexualOrientation", "ethnic-group",
                           "politicalParty", "has_disability", "tradeUnion", "skin.color"}) {
    EXPECT_FALSE(usual.match(name).empty()) << name;
  }
  for (const char* name : {"age", "essex", "sextant", "racetrack", "trade", "union", "party",
                           "colour", "healthy", ""}) {
    EXPECT_TRUE(usual.match(name).empty()) << name;
  }
}

TEST(Sensitive, AllowingIsOfWholeNames) {
  const Sensitive some{{"gender"}, {"user gender"}};
  EXPECT_EQ(some.match("user_gender"), "");
  EXPECT_EQ(some.match("gender"), "gender");
  EXPECT_EQ(some.match("gender_of_user"), "gender");
}

TEST(Sensitive, TheListIsSortedAndInWords) {
  const auto& names = usual_sensitive_names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const std::string& name : names) EXPECT_EQ(words_of_name(name), name);
}

}  // namespace
}  // namespace attune
