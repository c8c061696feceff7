#include <gtest/gtest.h>

#include "format/table.h"

namespace attune {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::unique_ptr<TableReader> open_text(const std::string& text) {
  auto bytes = ByteSource::of_memory(text, "f");
  auto reader = TableReader::open(std::move(*bytes), {.format = TableFormat::kJsonl});
  CHECK(reader.ok());
  return std::move(*reader);
}

Rows rows_of(const std::string& text) {
  const auto reader = open_text(text);
  Rows all;
  while (true) {
    const auto next = reader->next();
    CHECK(next.ok());
    if (*next == TableReader::Next::kEnd) return all;
    const BadRow& bad = reader->bad();
    if (*next == TableReader::Next::kBad) {
      all.push_back({"!", std::to_string(bad.line), bad.column, bad.reason});
    } else {
      all.emplace_back(reader->cells().begin(), reader->cells().end());
    }
  }
}

TEST(Jsonl, ColumnsAreTheFieldsOfTheFirstRows) {
  const auto reader = open_text("{\"a\":1,\"b\":\"x\"}\n\n{\"c\":true,\"a\":2}\n");
  EXPECT_EQ(reader->shape().columns, (std::vector<std::string>{"a", "b", "c"}));
  using T = ColumnType;
  EXPECT_EQ(reader->shape().types, (std::vector<T>{T::kNumber, T::kText, T::kBool}));
  EXPECT_EQ(rows_of("{\"a\":1,\"b\":\"x\"}\n\n{\"c\":true,\"a\":2}\n"),
            (Rows{{"1", "x", ""}, {"2", "", "true"}}));
}

TEST(Jsonl, NumbersStayAsWrittenAndNullIsMissing) {
  EXPECT_EQ(rows_of("{\"a\":1.10,\"b\":123456789012345678901234567890 ,\"c\":-0.5e+3,\"d\":null}"),
            (Rows{{"1.10", "123456789012345678901234567890", "-0.5e+3", ""}}));
}

TEST(Jsonl, StringsAreUnescaped) {
  EXPECT_EQ(rows_of(R"({"a":"say \"hi\"\n\u00e9 \ud83d\ude00","b\u0041":"x"})"),
            (Rows{{"say \"hi\"\n\xc3\xa9 \xf0\x9f\x98\x80", "x"}}));
  EXPECT_EQ(open_text(R"({"b\u0041":"x"})")->shape().columns[0], "bA");
}

TEST(Jsonl, NestedValuesAreCompactJson) {
  EXPECT_EQ(rows_of(R"({"a": [1, 2.50, {"x" : "q\"r"} ], "b": { }, "c": [ ], "d": [null, true]})"),
            (Rows{{R"([1,2.50,{"x":"q\"r"}])", "{}", "[]", "[null,true]"}}));
}

TEST(Jsonl, ABadRowSaysWhatIsWrong) {
  const std::string good = "{\"a\":1}\n";
  const auto bad = [&](const std::string& row) {
    const Rows rows = rows_of(good + row + "\n" + good);
    EXPECT_EQ(rows.size(), 3U) << row;
    EXPECT_EQ(rows.back(), (std::vector<std::string>{"1"})) << row;
    return rows[1][0] == "!" ? rows[1][2] + ": " + rows[1][3] : "good: " + rows[1][0];
  };
  EXPECT_EQ(bad("[1]"), ": not a JSON object");
  EXPECT_EQ(bad("{\"a\":1} x").substr(0, 10), ": not JSON");
  EXPECT_EQ(bad("{\"a\":01}"), "a: not JSON: \"01\" is no value");
  EXPECT_EQ(bad("{\"a\":tru}").substr(0, 11), "a: not JSON");
  EXPECT_EQ(bad("{\"a\":[1 2]}").substr(0, 11), "a: not JSON");
  EXPECT_EQ(bad("{\"a\":[1}]").substr(0, 10), ": not JSON");  // told before fields are read
  EXPECT_EQ(bad("{\"a\":1").substr(0, 10), ": not JSON");
  EXPECT_EQ(bad("{\"a\":\"x").substr(0, 10), ": not JSON");
  EXPECT_EQ(bad("{\"a\":1,\"a\":2}"), "a: the field stands twice");
  EXPECT_EQ(bad("{\"a\":\"\\u0000\"}"), "a: a zero byte");
  EXPECT_EQ(bad("{\"a\":\"\xff\"}").substr(0, 10), ": not JSON");
  EXPECT_EQ(bad("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}"),
            "a: nested deeper than 64");
  EXPECT_EQ(bad("{\"a\":" + std::string(900'000, '[') + "}").substr(0, 3), "a: ");
  EXPECT_EQ(bad("{\"b\":" + std::string(900'000, '[') + "}").substr(0, 3), "b: ");
}

TEST(Jsonl, FieldsMetLaterAreNamed) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "{\"a\":1}\n";
  const auto reader = open_text(text + "{\"a\":2,\"z\":3}\n");
  while (reader->next().value() == TableReader::Next::kRow) {
  }
  ASSERT_EQ(reader->late_columns().size(), 1U);
  EXPECT_EQ(reader->late_columns()[0], "z");
}

}  // namespace
}  // namespace attune
