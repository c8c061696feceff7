#include "format/id_lists.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace attune {
namespace {

Result<std::vector<IdList>> read(const std::string& text) {
  return read_id_lists(**ByteSource::of_memory(text, "lists.txt"));
}

TEST(IdLists, ReadsPersonsAndTheirItems) {
  const auto lists = read("7 1 2 3\n\n 8\t18446744073709551615 \r\n9\n10 4");
  ASSERT_TRUE(lists.ok()) << lists.error().message;
  ASSERT_EQ(lists->size(), 4U);
  EXPECT_EQ((*lists)[0].person, 7U);
  EXPECT_EQ((*lists)[0].items, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ((*lists)[1].items, (std::vector<std::uint64_t>{18446744073709551615U}));
  EXPECT_TRUE((*lists)[2].items.empty());
  EXPECT_EQ((*lists)[3].items, (std::vector<std::uint64_t>{4}));
}

TEST(IdLists, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(read("1 2\n3 x4\n").error().message, "lists.txt line 2: \"x\" is no digit");
  EXPECT_EQ(read("1 -2\n").error().message, "lists.txt line 1: \"-\" is no digit");
  EXPECT_EQ(read(std::string("1 2\n\n3\0", 7)).error().message,
            "lists.txt line 3: byte 0 is no digit");
  EXPECT_EQ(read("1 18446744073709551616").error().message,
            "lists.txt line 1: a number is too large");
  EXPECT_EQ(read(" \n\n").error().message, "lists.txt holds no lists");
  EXPECT_EQ(read_id_lists("/no/such/file").error().code, Code::kNotFound);
}

TEST(IdLists, ALineMayBeLongerThanABlock) {
  std::string text = "1";
  for (int i = 0; i < 100'000; ++i) text += " 5";
  EXPECT_EQ(read(text)->at(0).items.size(), 100'000U);
}

}  // namespace
}  // namespace attune
