#include "format/table.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "format/guess_type.h"

namespace attune {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::unique_ptr<TableReader> open_text(const std::string& text, const TableOptions& options = {}) {
  auto bytes = ByteSource::of_memory(text, "f");
  CHECK(bytes.ok());
  auto reader = TableReader::open(std::move(*bytes), options);
  if (!reader.ok()) ADD_FAILURE() << reader.error().message;
  return reader.ok() ? std::move(*reader) : nullptr;
}

// All rows; a bad one as {"!", line, column, reason}; an error as {"error", message}.
Rows rows_of(TableReader& reader) {
  Rows all;
  while (all.size() < 100'000) {
    const auto next = reader.next();
    if (!next.ok()) {
      all.push_back({"error", next.error().message});
      return all;
    }
    if (*next == TableReader::Next::kEnd) return all;
    if (*next == TableReader::Next::kBad) {
      const BadRow& bad = reader.bad();
      all.push_back({"!", std::to_string(bad.line), bad.column, bad.reason});
    } else {
      all.emplace_back(reader.cells().begin(), reader.cells().end());
    }
  }
  ADD_FAILURE() << "it never ends";
  return all;
}

Rows rows_of(const std::string& text, const TableOptions& options = {}) {
  const auto reader = open_text(text, options);
  return reader ? rows_of(*reader) : Rows{};
}

const TableOptions kPlain{.delimiter = ',', .has_header = false};
const TableOptions kNamed{.delimiter = ',', .has_header = true};

TEST(Table, CellsArePartedByTheDelimiter) {
  EXPECT_EQ(rows_of("a,b,c\n1,,3\n", kPlain), (Rows{{"a", "b", "c"}, {"1", "", "3"}}));
  EXPECT_EQ(rows_of("a,b,", kPlain), (Rows{{"a", "b", ""}}));
  EXPECT_EQ(rows_of("a;b;c\n1;,;3\n", {.delimiter = ';', .has_header = false}),
            (Rows{{"a", "b", "c"}, {"1", ",", "3"}}));
  EXPECT_EQ(rows_of("a b\n1 2\n", {.delimiter = ' ', .has_header = false}),
            (Rows{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(rows_of("", kPlain), Rows{});
}

TEST(Table, TheLastLineNeedsNoEnd) {
  EXPECT_EQ(rows_of("a\nb", kPlain), (Rows{{"a"}, {"b"}}));
  EXPECT_EQ(rows_of("a,\"b\"", kPlain), (Rows{{"a", "b"}}));
  EXPECT_EQ(rows_of("a,\"b\",c\r", kPlain), (Rows{{"a", "b", "c"}}));
}

TEST(Table, QuotedCellsHoldDelimitersQuotesAndLineEnds) {
  EXPECT_EQ(rows_of("\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\nx,y,z\n", kPlain),
            (Rows{{"a,b", "say \"hi\"", "two\nlines"}, {"x", "y", "z"}}));
  EXPECT_EQ(rows_of("\"\",\"\"\"\"\n", kPlain), (Rows{{"", "\""}}));
}

TEST(Table, CrlfEndsLinesAndBecomesLfInsideQuotes) {
  EXPECT_EQ(rows_of("a,b\r\n\"x\r\ny\",2\r\n", kPlain), (Rows{{"a", "b"}, {"x\ny", "2"}}));
}

TEST(Table, AByteOrderMarkAndEmptyLinesAreSkipped) {
  const auto reader = open_text("\xef\xbb\xbfid,x\n\n1,2\n\r\n\n3,4\n\n");
  EXPECT_EQ(reader->shape().columns, (std::vector<std::string>{"id", "x"}));
  EXPECT_EQ(rows_of(*reader), (Rows{{"1", "2"}, {"3", "4"}}));
  EXPECT_EQ(reader->line(), 8U);
}

TEST(Table, AnUnclosedQuoteCostsTheLineThatOpensIt) {
  EXPECT_EQ(rows_of("a,b\n1,\"two\n3,4\n5,6\n", kNamed),
            (Rows{{"!", "2", "b", "a quote is opened and never closed"}, {"3", "4"}, {"5", "6"}}));
  // The next quote closes it, but text follows: the rows between are kept.
  EXPECT_EQ(
      rows_of("a,b\n1,\"two\n3,4\n5,\"six\"\n7,8\n", kNamed),
      (Rows{{"!", "2", "b", "text after a closing quote; a quote within quotes is written twice"},
            {"3", "4"},
            {"5", "six"},
            {"7", "8"}}));
  // The next one closes it, and a fault comes later.
  EXPECT_EQ(rows_of("a,b\n1,\"two\n3,4\n\",5\",6\n7,8\n", kNamed),
            (Rows{{"!", "2", "b", "a quote inside a field that is not quoted"},
                  {"3", "4"},
                  {",5", "6"},
                  {"7", "8"}}));
}

TEST(Table, AnUnclosedQuoteBeforeMuchTextCostsItsLineToo) {
  std::string text = "a,b\nx,\"y\n";
  const std::size_t rows = 200'000;
  for (std::size_t i = 0; i < rows; ++i) text += std::to_string(i) + ",12345\n";
  const auto reader = open_text(text, kNamed);
  ASSERT_EQ(reader->next().value(), TableReader::Next::kBad);
  EXPECT_EQ(reader->bad().reason, "a quote is opened and not closed within 1 MB");
  std::size_t good = 0;
  while (reader->next().value() == TableReader::Next::kRow) ++good;
  EXPECT_EQ(good, rows);
}

TEST(Table, ABadRowDoesNotHideTheNextOne) {
  EXPECT_EQ(
      rows_of("a,b\nx\"c,d\nok,1\n\"x\"y,1\nfine,1\nq,r\rs\nend,1\n", kNamed),
      (Rows{{"!", "2", "a", "a quote inside a field that is not quoted"},
            {"ok", "1"},
            {"!", "4", "a", "text after a closing quote; a quote within quotes is written twice"},
            {"fine", "1"},
            {"!", "6", "b", "a carriage return without a line feed"},
            {"end", "1"}}));
}

TEST(Table, TooFewOrTooManyCellsAreTold) {
  EXPECT_EQ(rows_of("a,b\n1\n1,2,3\n1,2\n", kNamed),
            (Rows{{"!", "2", "", "1 fields, but the header names 2"},
                  {"!", "3", "", "3 fields, but the header names 2"},
                  {"1", "2"}}));
  std::string wide(TableReader::kMaxColumns + 10, ',');
  EXPECT_EQ(rows_of("a,b\n" + wide + "\n1,2\n", kNamed),
            (Rows{{"!", "2", "", "too many columns"}, {"1", "2"}}));
}

TEST(Table, BytesThatAreNoTextMakeTheirRowBad) {
  EXPECT_EQ(rows_of(std::string("a,b\n1,\xc3\x28\n2,x\0y\n3,4\n", 18), kNamed),
            (Rows{{"!", "2", "b", "not utf-8"}, {"!", "3", "b", "a zero byte"}, {"3", "4"}}));
  EXPECT_EQ(rows_of("caf\xc3\xa9,\xe7\xbe\x8e\n", kPlain), (Rows{{"caf\xc3\xa9", "\xe7\xbe\x8e"}}));
}

TEST(Table, AHeaderThatIsNoTextIsRefused) {
  auto bytes = ByteSource::of_memory("id,caf\xe9\n1,2\n", "f");
  const auto reader = TableReader::open(std::move(*bytes), kNamed);
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().message, "f: line 1: the header is not utf-8");
  EXPECT_EQ(open_text("id,caf\xe9\n1,2\n", {.encoding = Encoding::kLatin1, .has_header = true})
                ->shape()
                .columns[1],
            "caf\xc3\xa9");
}

TEST(Table, ARowOfMoreThanAMegabyteIsPassedOver) {
  const std::string long_text(TableReader::kMaxRowBytes + 10, 'x');
  for (const std::string& row :
       {long_text + ",1", "\"" + long_text + "\",1", "\"a\nb\"," + long_text,
        std::string(3 * TableReader::kMaxRowBytes, 'x') + ",1"}) {
    const Rows rows = rows_of("a,b\n" + row + "\n1,2\n", kNamed);
    ASSERT_GE(rows.size(), 2U);
    EXPECT_EQ(rows[0][0], "!");
    EXPECT_EQ(rows[0][1], "2");
    EXPECT_NE(rows[0][3].find("1 MB"), std::string::npos) << rows[0][3];
    EXPECT_EQ(rows.back(), (std::vector<std::string>{"1", "2"}));
  }
}

TEST(Table, DelimitersAreGuessed) {
  const auto delimiter = [](const std::string& text) { return open_text(text)->shape().delimiter; };
  EXPECT_EQ(delimiter("a,b\n1,2\n"), ',');
  EXPECT_EQ(delimiter("a;b;c\n1,5;2,5;3\n0,5;2,5;3\n"), ';');
  EXPECT_EQ(delimiter("a\tb\n1,5\t2,5\n"), '\t');
  EXPECT_EQ(delimiter("a|b\n1|2\n"), '|');
  EXPECT_EQ(delimiter("id,tags\na,red|new\nb,blue\nc,red|old|new\n"), ',');
  EXPECT_EQ(delimiter("tags\na|b\nc|d\n"), '\0');
  EXPECT_EQ(delimiter("1,5;2,5\n3,5;4,5\n"), ';');
  EXPECT_EQ(delimiter("word\nother word\n"), '\0');
  EXPECT_EQ(rows_of("well, well\nso \"he\", said\nno\na, b, c\nx\n").size(), 5U) << "no table";
}

TEST(Table, HeadersAreGuessed) {
  const auto columns = [](const std::string& text) { return open_text(text)->shape().columns; };
  using Names = std::vector<std::string>;
  EXPECT_EQ(columns("id,age\nx,3\ny,4\n"), (Names{"id", "age"}));
  EXPECT_EQ(columns("1,2\n3,4\n"), (Names{"c1", "c2"}));
  EXPECT_EQ(columns("u1,i7\nu2,i8\nu3,i9\nu4,i9\n"), (Names{"c1", "c2"}));
  EXPECT_EQ(columns("name,city\nann,rome\nbob,paris\n"), (Names{"name", "city"}));
  EXPECT_EQ(columns("red,small\nred,large\nblue,small\n"), (Names{"c1", "c2"}));
  EXPECT_EQ(columns("word\nother word\n"), (Names{"c1"}));
  EXPECT_EQ(columns("word\n3\n4\n"), (Names{"word"}));
  EXPECT_EQ(columns(",age\n0,3\n1,4\n"), (Names{"c1", "age"}));
  EXPECT_EQ(columns("\"say \"\"hi\"\"\",n\nx,1\n"), (Names{"say \"hi\"", "n"}));
  EXPECT_TRUE(columns("").empty());
}

TEST(Table, WhatIsToldIsNotGuessed) {
  const auto reader = open_text("1;2\n3;4\n", {.delimiter = ',', .has_header = true});
  EXPECT_EQ(reader->shape().columns, (std::vector<std::string>{"1;2"}));
  auto bytes = ByteSource::of_memory("a", "f");
  EXPECT_EQ(TableReader::open(std::move(*bytes), {.delimiter = '\n'}).error().field, "delimiter");
}

TEST(Table, QuotesOfTsvAreTextWhenRowsAskForIt) {
  const auto reader = open_text("id\ttext\n1\t\"hi\" he said\n2\tx\n3\t\"so\n4\ty\n");
  EXPECT_FALSE(reader->shape().has_quotes);
  EXPECT_EQ(rows_of(*reader),
            (Rows{{"1", "\"hi\" he said"}, {"2", "x"}, {"3", "\"so"}, {"4", "y"}}));
  EXPECT_TRUE(open_text("id\ttext\n1\t\"hi\thi\"\n")->shape().has_quotes);
}

TEST(Table, TypesAreThoseOfTheFirstRows) {
  const auto reader =
      open_text("n,t,w,b,e\n-1.5e3,abc,2026-01-02,true,\n7,007,2026-01-02 03:04:05,No,\n,,,,\n");
  using T = ColumnType;
  EXPECT_EQ(reader->shape().types,
            (std::vector<T>{T::kNumber, T::kText, T::kTime, T::kBool, T::kEmpty}));
  for (const char* number : {"0", "-3", "+4", ".5", "0.5", "1e9", "-1.25E-3"}) {
    EXPECT_EQ(type_of(number), T::kNumber) << number;
  }
  for (const char* text : {"007", "1,5", "inf", "nan", "-", "0x1", "1e999", " 1", "1-2"}) {
    EXPECT_EQ(type_of(text), T::kText) << text;
  }
}

TEST(Table, ACutOffFileGivesItsRowsThenTheError) {
  // gzip of nothing but a header: the stream itself is cut off.
  auto bytes = ByteSource::of_memory(std::string("\x1f\x8b\x08\0\0\0\0\0\0\3", 10), "f.gz");
  const auto reader = TableReader::open(std::move(*bytes), {});
  ASSERT_FALSE(reader.ok());
  EXPECT_EQ(reader.error().message, "f.gz: gzip is cut off at byte 10");
}

TEST(Table, OldLineEndsAndJsonArraysAreRefusedWithAHint) {
  const auto error = [](const std::string& text) {
    auto bytes = ByteSource::of_memory(text, "f");
    const auto reader = TableReader::open(std::move(*bytes), {});
    return reader.ok() ? "" : reader.error().message;
  };
  EXPECT_EQ(error("a,b\r1,2\r"), "f: its lines end in carriage returns alone");
  EXPECT_EQ(error(" [\n {\"a\":1}]"), "f: the file is a JSON array, not JSON lines");
}

std::string in_quotes(const std::string& cell) {
  std::string out = "\"";
  for (const char c : cell) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

TEST(Table, WhatIsWrittenQuotedIsReadBack) {
  constexpr std::string_view kLetters = "ab,\"\n |;";
  Rng rng(1);
  for (int round = 0; round < 300; ++round) {
    Rows wanted(1 + rng.below(4), std::vector<std::string>(1 + rng.below(4)));
    std::string text;
    for (auto& row : wanted) {
      for (auto& cell : row) {
        for (std::uint64_t n = rng.below(6); n > 0; --n) cell += kLetters[rng.below(8)];
        text += in_quotes(cell) + (&cell == &row.back() ? "\r\n" : ",");
      }
    }
    ASSERT_EQ(rows_of(text, kPlain), wanted) << text;
  }
}

TEST(Table, AnyBytesComeToAnEnd) {
  constexpr std::string_view kBytes("a,\"\r\n\xef\xbb\xbf\xff\0;", 11);
  Rng rng(2);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::uint64_t n = rng.below(30); n > 0; --n) text += kBytes[rng.below(kBytes.size())];
    auto bytes = ByteSource::of_memory(text, "f");
    const auto reader = TableReader::open(std::move(*bytes), kPlain);
    if (!reader.ok()) continue;
    std::uint64_t last_line = 0;
    for (int calls = 0;; ++calls) {
      ASSERT_LE(calls, 40) << testing::PrintToString(text);
      const auto next = (*reader)->next();
      ASSERT_TRUE(next.ok());
      if (*next == TableReader::Next::kEnd) break;
      ASSERT_GT((*reader)->line(), last_line) << testing::PrintToString(text);
      last_line = (*reader)->line();
    }
  }
}

}  // namespace
}  // namespace attune
