#include "base/csv.h"

#include <gtest/gtest.h>

#include <sstream>

namespace attune {
namespace {

using Records = std::vector<std::vector<std::string>>;

// All records, and the messages of the bad ones among them as records of one field "! message".
Records read(const std::string& text) {
  std::istringstream in(text);
  CsvReader reader(in);
  Records all;
  std::vector<std::string> fields;
  for (int i = 0; i < 100; ++i) {
    const auto more = reader.next(fields);
    if (!more.ok()) {
      all.push_back({"! " + more.error().message});
    } else if (*more) {
      all.push_back(fields);
    } else {
      return all;
    }
  }
  ADD_FAILURE() << "it never ends";
  return all;
}

TEST(Csv, FieldsArePartedByCommas) {
  EXPECT_EQ(read("a,b,c\n1,,3\n"), (Records{{"a", "b", "c"}, {"1", "", "3"}}));
  EXPECT_EQ(read("a,b,"), (Records{{"a", "b", ""}}));
  EXPECT_EQ(read(""), Records{});
}

TEST(Csv, TheLastLineNeedsNoEnd) {
  EXPECT_EQ(read("a\nb"), (Records{{"a"}, {"b"}}));
  EXPECT_EQ(read("a,\"b\""), (Records{{"a", "b"}}));
}

TEST(Csv, QuotedFieldsHoldCommasQuotesAndLineEnds) {
  EXPECT_EQ(read("\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\nx,y,z\n"),
            (Records{{"a,b", "say \"hi\"", "two\nlines"}, {"x", "y", "z"}}));
  EXPECT_EQ(read("\"\",\"\"\"\"\n"), (Records{{"", "\""}}));
}

TEST(Csv, CrlfEndsLinesAndBecomesLfInsideQuotes) {
  EXPECT_EQ(read("a,b\r\n\"x\r\ny\",2\r\n"), (Records{{"a", "b"}, {"x\ny", "2"}}));
}

TEST(Csv, AByteOrderMarkAndEmptyLinesAreSkipped) {
  EXPECT_EQ(read("\xef\xbb\xbfid,x\n\n1,2\n\r\n\n3,4\n\n"),
            (Records{{"id", "x"}, {"1", "2"}, {"3", "4"}}));
  EXPECT_EQ(read("\xef\xbb\xbf\"id\"\n"), (Records{{"id"}}));
}

TEST(Csv, AnUnclosedQuoteIsNamedByTheLineThatOpensIt) {
  EXPECT_EQ(read("a,b\n1,\"two\nthree\nfour\n"),
            (Records{{"a", "b"}, {"! line 2: a quote is opened and never closed"}}));
}

TEST(Csv, ABadRecordDoesNotHideTheNextOne) {
  EXPECT_EQ(read("a\nb\"c,d\nok\n\"x\"y\nfine\n"),
            (Records{{"a"},
                     {"! line 2: a quote inside a field that is not quoted"},
                     {"ok"},
                     {"! line 4: text after a closing quote; a quote within quotes is written "
                      "twice"},
                     {"fine"}}));
}

TEST(Csv, OnlyUtf8IsText) {
  EXPECT_EQ(read("ok\n\xc3\x28,x\nok\n"), (Records{{"ok"}, {"! line 2: not UTF-8"}, {"ok"}}));
  EXPECT_EQ(read("caf\xc3\xa9,\xe7\xbe\x8e\n"), (Records{{"caf\xc3\xa9", "\xe7\xbe\x8e"}}));
  EXPECT_EQ(read("\xff\xfe\n")[0][0], "! line 1: the file is UTF-16; save it as UTF-8");
  EXPECT_EQ(read(std::string("a\0b\nok\n", 7))[0][0],
            "! line 1: a zero byte; the file must be UTF-8 text");
}

TEST(Csv, ALoneCarriageReturnIsRefused) {
  EXPECT_EQ(read("a\rb\nok\n"),
            (Records{{"! line 1: a carriage return without a line feed"}, {"ok"}}));
  EXPECT_EQ(read("\rb\nok\n"),
            (Records{{"! line 1: a carriage return without a line feed"}, {"ok"}}));
}

TEST(Csv, AnErrorNamesItsColumnAndRecordsTheirLine) {
  std::istringstream in("a,b,c\n\"x\ny\",1,2\n1,2,b\"d\n");
  CsvReader reader(in);
  std::vector<std::string> fields;
  ASSERT_TRUE(reader.next(fields).ok());
  ASSERT_TRUE(reader.next(fields).ok());
  EXPECT_EQ(reader.line(), 2u);
  const auto bad = reader.next(fields);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().field, "3");
  EXPECT_EQ(reader.line(), 4u);
  EXPECT_EQ(reader.bytes(), 24u);
}

TEST(Csv, ARecordOfMoreThanAMegabyteIsRefused) {
  const std::string long_text(CsvReader::kMaxRecordBytes + 10, 'x');
  EXPECT_EQ(read(long_text + "\nok\n"), (Records{{"! line 1: a record longer than 1 MB"}, {"ok"}}));
  EXPECT_EQ(read("\"" + long_text + "\"\nok\n"),
            (Records{{"! line 1: a quote is opened and not closed within 1 MB"}}));
}

}  // namespace
}  // namespace attune
