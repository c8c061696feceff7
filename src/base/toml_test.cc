#include "base/toml.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

std::optional<TomlValue> parsed(const std::string& text) {
  TomlFault fault;
  return parse_toml(text, "here", fault);
}

TEST(Toml, KnowsValuesAndTheirLines) {
  const auto root = parsed("name = \"shop\"\n\n[rates]\nlow = 1\nhigh = 2.5\nis_on = true\n");
  ASSERT_TRUE(root && root->is_table());
  EXPECT_EQ(root->find("name")->as_string(), "shop");
  EXPECT_FALSE(root->find("nobody"));
  const auto rates = root->find("rates");
  ASSERT_TRUE(rates && rates->is_table());
  EXPECT_EQ(rates->as_table().size(), 3u);
  EXPECT_TRUE(rates->find("low")->is_integer());
  EXPECT_EQ(rates->find("low")->as_integer(), 1);
  EXPECT_TRUE(rates->find("high")->is_floating());
  EXPECT_EQ(rates->find("high")->as_floating(), 2.5);
  EXPECT_TRUE(rates->find("is_on")->as_boolean());
  EXPECT_EQ(rates->find("high")->line(), 5u);
}

TEST(Toml, PartsOutliveTheWhole) {
  std::vector<TomlValue> names;
  {
    const auto root = parsed("names = [\"a\",\n\"b\"]");
    names = root->find("names")->as_array();
  }
  ASSERT_EQ(names.size(), 2u);
  EXPECT_EQ(names[1].as_string(), "b");
  EXPECT_EQ(names[1].line(), 2u);
}

TEST(Toml, SaysWhyATextIsNone) {
  TomlFault fault;
  EXPECT_FALSE(parse_toml("a = 1\nb = \n", "here", fault));
  EXPECT_EQ(fault.line, 2u);
  EXPECT_NE(fault.what.find("here"), std::string::npos);
}

TEST(Toml, OtherBytesThanUtf8AreRefusedWhereverTheyAre) {
  for (const char* text : {"a = 1\nb = 'x\xff'\n", "a = 1\n'\xff\xff' = 2\n", "# b\n# \xc3\n",
                           "a = 1\nb = \"\xe4\xbd\"", "\n'k\xff' = '"}) {
    TomlFault fault;
    EXPECT_FALSE(parse_toml(text, "here", fault)) << text;
    EXPECT_EQ(fault.what, "line 2 has bytes that are not UTF-8") << text;
    EXPECT_EQ(fault.line, 2u);
  }
  EXPECT_EQ(parsed("a = '\xe4\xbd\xa0\xe5\xa5\xbd'")->find("a")->as_string(),
            "\xe4\xbd\xa0\xe5\xa5\xbd");
}

TEST(Toml, ReadsWhatItQuotes) {
  const std::string text = "say \"no\"\\\n\ttwice";
  const auto root = parsed("a = " + toml_quoted(text));
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("a")->as_string(), text);
}

}  // namespace
}  // namespace attune
