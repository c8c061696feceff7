#include "feature/json_members.h"

#include <gtest/gtest.h>

#include <string>

namespace attune {
namespace {

std::string members(std::string_view json) {
  std::string out;
  each_member(json, [&](std::string_view key, std::string_view value) {
    out += std::string(key) + "->" + std::string(value) + "|";
  });
  return out;
}

std::string elements(std::string_view json) {
  std::string out;
  each_element(json, [&](std::string_view value) { out += std::string(value) + "|"; });
  return out;
}

TEST(JsonMembers, ViewsOfWhatStandsThere) {
  EXPECT_EQ(members(R"({"a":1,"b":"x,\"}y","c":{"d":[1,"]"]},"e":null})"),
            R"(a->1|b->"x,\"}y"|c->{"d":[1,"]"]}|e->null|)");
  EXPECT_EQ(members(" { \"a\" : [ 1 , 2 ] , \"b\" : true } "), "a->[ 1 , 2 ]|b->true|");
  EXPECT_EQ(elements(R"(["a",2,[3],{"b":4}])"), R"("a"|2|[3]|{"b":4}|)");
  EXPECT_EQ(members("{}") + members("") + members("[1]") + elements("[]") + elements("1"), "");
}

TEST(JsonMembers, BrokenTextEndsEarly) {
  const std::string whole = R"({"a":{"b":"\\\""},"c":[1,{"d":2}]})";
  for (std::size_t n = 0; n <= whole.size(); ++n) {
    const std::string cut = whole.substr(0, n);  // on the heap: a byte beyond it would be found
    members(cut);
    elements(cut);
  }
  EXPECT_EQ(members(R"({"a":1,,"b":2})"), "a->1|");
  EXPECT_EQ(members(R"({"a)"), "");
}

TEST(JsonMembers, ScalarsAreShort) {
  EXPECT_EQ(plain_scalar("\"x\""), "x");
  EXPECT_EQ(plain_scalar("-1.5"), "-1.5");
  EXPECT_EQ(plain_scalar("null"), "");
  EXPECT_EQ(plain_scalar("[1]"), "");
  EXPECT_EQ(plain_scalar("\"" + std::string(65, 'x') + "\""), "");
}

}  // namespace
}  // namespace attune
