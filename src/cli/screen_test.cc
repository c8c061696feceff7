#include "cli/screen.h"

#include <gtest/gtest.h>

#include "cli/words.h"

namespace attune {
namespace {

using Lines = std::vector<std::string>;

TEST(Cut, KeepsWhatFitsAndEndsColours) {
  EXPECT_EQ(cut("abcdef", 4), "abcd");
  EXPECT_EQ(cut("abc", 4), "abc");
  EXPECT_EQ(cut("\x1b[32mabcdef\x1b[0m", 4), "\x1b[32mabcd\x1b[0m");
  EXPECT_EQ(cut("\x1b[32mabcd\x1b[0m", 4), "\x1b[32mabcd\x1b[0m");
  EXPECT_EQ(cut("热门策略", 5), "热门");  // two columns each
  EXPECT_EQ(cut("▁▂▃", 2), "▁▂");
}

TEST(Wrap, BreaksAtSpaces) {
  EXPECT_EQ(wrap("one two three", 8), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap("one two", 7), (Lines{"one two"}));
  EXPECT_EQ(wrap("", 7), (Lines{""}));
  EXPECT_EQ(wrap("abcdefgh ij", 4), (Lines{"abcd", "efgh", "ij"}));
  EXPECT_EQ(wrap("  indented text", 12), (Lines{"  indented", "text"}));
}

TEST(Wrap, KeepsANumberWithItsPercentSign) {
  EXPECT_EQ(wrap("it is 10 % of it", 8), (Lines{"it is", "10 % of", "it"}));
  EXPECT_EQ(wrap("it is 10 %", 8), (Lines{"it is", "10 %"}));
}

TEST(Wrap, BreaksBetweenWideCharacters) {
  EXPECT_EQ(wrap("学习策略", 5), (Lines{"学习", "策略"}));
  EXPECT_EQ(wrap("a 学习策略", 7), (Lines{"a 学习", "策略"}));
}

TEST(Words, NumbersHaveCommas) {
  EXPECT_EQ(thousands(0), "0");
  EXPECT_EQ(thousands(999), "999");
  EXPECT_EQ(thousands(1234567), "1,234,567");
}

TEST(Words, ColumnsAreThoseOfATerminal) {
  EXPECT_EQ(columns("ab"), 2u);
  EXPECT_EQ(columns("热门"), 4u);
  EXPECT_EQ(right("热", 4), "  热");
}

}  // namespace
}  // namespace attune
