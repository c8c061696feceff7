#include "format/sparse_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/rng.h"
#include "format/feature_hash.h"

namespace attune {
namespace {

std::unique_ptr<ExampleReader> open_text(const std::string& text, ExampleFormat format,
                                         ExampleOptions options = {}) {
  auto bytes = ByteSource::of_memory(text, "f");
  auto reader = ExampleReader::open(std::move(*bytes), format, std::move(options));
  CHECK(reader.ok());
  return std::move(*reader);
}

// All rows as "label weight field:name:value ...", by the names told.
std::vector<std::string> rows_of(const std::string& text, ExampleFormat format) {
  std::map<std::uint32_t, std::string> names;
  const auto reader =
      open_text(text, format,
                {.names = [&](std::uint32_t hash, std::string_view name) { names[hash] = name; }});
  std::vector<std::string> out;
  Examples block;
  while (reader->next(2, block).value()) {
    for (std::size_t r = 0; r < block.size(); ++r) {
      std::string row = fmt::format("{} {}", block.labels[r], block.weight(r));
      for (std::size_t f = 0; f < block.row(r).size(); ++f) {
        const Feature feature = block.row(r)[f];
        row +=
            fmt::format(" {}:{}:{}", block.fields_of(r)[f], names.at(feature.hash), feature.value);
      }
      out.push_back(row);
    }
  }
  for (const BadRow& bad : reader->first_bad()) {
    out.push_back(fmt::format("! {} {}: {}", bad.line, bad.column, bad.reason));
  }
  return out;
}

using Rows = std::vector<std::string>;

TEST(Vw, LabelsImportanceTagsNamespacesAndValuesAreRead) {
  EXPECT_EQ(rows_of("1 |a x y:2.5 |b:0.5 z:4 w\n-1 2 'tag| bare\n| x\n0.25 tag|a x\n0 |\n",
                    ExampleFormat::kVw),
            (Rows{"1 1 0:a^x:1 0:a^y:2.5 1:b^z:2 1:b^w:0.5", "0 2 2:bare:1", "nan 1 2:x:1",
                  "0.25 1 0:a^x:1", "0 1"}));
}

TEST(Vw, WeightsAreLeftOutWhenAllAreOne) {
  const auto reader = open_text("1 |a x\n1 1 |a y\n1 3 |a z\n", ExampleFormat::kVw);
  Examples block;
  ASSERT_TRUE(reader->next(2, block).value());
  EXPECT_TRUE(block.weights.empty());
  ASSERT_TRUE(reader->next(2, block).value());
  EXPECT_EQ(block.weights, std::vector<float>{3});
}

TEST(Vw, TheSameNameInTwoNamespacesIsTwoFeatures) {
  const auto reader = open_text("1 |a x |b x |a x\n", ExampleFormat::kVw);
  Examples block;
  ASSERT_TRUE(reader->next(1, block).value());
  EXPECT_NE(block.features[0].hash, block.features[1].hash);
  EXPECT_EQ(block.features[0].hash, block.features[2].hash);
  EXPECT_EQ(block.fields, (std::vector<std::uint16_t>{0, 1, 0}));
}

TEST(Vw, FieldsKeepTheNumbersOfTheTrainingFile) {
  const auto reader = open_text("1 |b x |c x\n", ExampleFormat::kVw, {.fields = {"a", "b"}});
  Examples block;
  ASSERT_TRUE(reader->next(1, block).value());
  EXPECT_EQ(block.fields, (std::vector<std::uint16_t>{1, 2}));
  EXPECT_EQ(reader->field_names()[2], "c");
}

TEST(Vw, BadRowsSayWhy) {
  EXPECT_EQ(
      rows_of("1 x\nyes 1 |a x\n1 -2 |a x\n1 |a x:y\n1 |a x:1:2\n1 |a :2\n1 2 3 4 |a x\n"
              "1 |a x:1e9\n1 |a:b x\n1 'tag x |a y\n0:1:0.5 1 |a x\n1 |a ok\n",
              ExampleFormat::kVw),
      (Rows{"1 1 0:a^ok:1", "! 1 : no |: nothing says where features begin",
            "! 2 label: \"yes\" is no number", "! 3 importance: \"-2\" is no number of 0 or more",
            "! 4 x: \"y\" is no number",
            "! 5 x:1: a second : in a feature; names must not hold one",
            "! 6 a: a feature without a name", "! 7 : more than label, importance and tag before |",
            "! 8 x: 1e9 is beyond 1000000: scale the values", "! 9 a: \"b\" is no number",
            "! 10 : text between tag and |", "! 11 label: \"0:1:0.5\" is no number"}));
}

struct AllRows {
  Examples rows;
  std::vector<std::string> bad, fields;
};
AllRows read_all(const std::string& text, NameSink names) {
  const auto reader = open_text(text, ExampleFormat::kVw, {.names = std::move(names)});
  AllRows all;
  EXPECT_TRUE(reader->next(100'000, all.rows).ok());
  for (float& label : all.rows.labels) label = std::isnan(label) ? -9 : label;  // equals itself
  for (const BadRow& bad : reader->first_bad()) {
    all.bad.push_back(fmt::format("{} {}: {}", bad.line, bad.column, bad.reason));
  }
  all.fields.assign(reader->field_names().begin(), reader->field_names().end());
  return all;
}

// A row like those of files made by programs, or now and then with something no rule forbids or no
// rule allows.
std::string vw_line(Rng& rng) {
  const auto word = [&] {
    return std::string(1 + rng.below(12), static_cast<char>('a' + rng.below(26)));
  };
  std::string line = rng.chance(0.5) ? "1 " : "-1 ";
  for (std::size_t spaces = rng.below(9); spaces > 0; --spaces) {
    line += '|' + (rng.chance(0.05) ? "" : word());
    if (rng.chance(0.02)) line += ":2";
    for (std::size_t features = rng.below(5); features > 0; --features) {
      line += ' ' + word();
      if (rng.chance(0.3)) line += fmt::format(":{}", rng.normal());
    }
    if (rng.chance(0.8)) line += ' ';
  }
  constexpr std::string_view kOdd[] = {":", "|", "\t", "  ", "\r", "x:1e9", ":nan", "\xff", "'"};
  if (rng.chance(0.1)) line.insert(rng.below(line.size() + 1), kOdd[rng.below(std::size(kOdd))]);
  return line + (rng.chance(0.1) ? "\r\n" : "\n");
}

// With a sink of names every row is read by what knows all rules.
TEST(Vw, UsualRowsAreReadAsByAllRules) {
  Rng rng(11);
  for (int round = 0; round < 40; ++round) {
    std::string text;
    for (std::size_t lines = 1 + rng.below(300); lines > 0; --lines) text += vw_line(rng);
    if (rng.chance(0.5)) text.pop_back();
    const AllRows fast = read_all(text, nullptr);
    const AllRows plain = read_all(text, [](std::uint32_t, std::string_view) {});
    ASSERT_EQ(fast.rows.labels, plain.rows.labels);
    ASSERT_EQ(fast.rows.weights, plain.rows.weights);
    ASSERT_EQ(fast.rows.ends, plain.rows.ends);
    ASSERT_EQ(fast.rows.fields, plain.rows.fields);
    for (std::size_t i = 0; i < plain.rows.features.size(); ++i) {
      ASSERT_EQ(fast.rows.features[i].hash, plain.rows.features[i].hash);
      ASSERT_EQ(fast.rows.features[i].value, plain.rows.features[i].value);
    }
    ASSERT_EQ(fast.bad, plain.bad);
    ASSERT_EQ(fast.fields, plain.fields);
  }
}

TEST(Vw, ManyNamespacesKeepTheirNumbers) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += fmt::format("1 |s{} x |a_long_name_{} x\n", i, i);
  const AllRows once = read_all(text + text, nullptr);
  ASSERT_EQ(once.rows.fields.size(), 12'000u);
  for (std::size_t i = 0; i < 12'000; ++i) ASSERT_EQ(once.rows.fields[i], i % 6000);
}

TEST(Libsvm, LabelsQidsAndCommentsAreRead) {
  EXPECT_EQ(rows_of("+1 1:0.5 3:2 # why\n# a comment\n-1 qid:7 2:1e-2\n3.5\n2:1\n",
                    ExampleFormat::kLibsvm),
            (Rows{"1 1 0:1:0.5 0:3:2", "0 1 0:2:0.01", "3.5 1", "nan 1 0:2:1"}));
}

TEST(Libsvm, BadRowsSayWhy) {
  EXPECT_EQ(rows_of("x 1:1\n1 1:1 1:2\n1 -1:1\n1 1:\n1 1\n1 qid:x 1:1\n1 99999999999:1\n1 1:nan\n",
                    ExampleFormat::kLibsvm),
            (Rows{"! 1 label: \"x\" is no number", "! 2 1:2: indices must ascend",
                  "! 3 -1:1: not index:value with an index from 0 to 4294967295",
                  "! 4 1:: \"\" is no number",
                  "! 5 1: not index:value with an index from 0 to 4294967295",
                  "! 6 qid: it must be a whole number",
                  "! 7 99999999999:1: not index:value with an index from 0 to 4294967295",
                  "! 8 1:nan: \"nan\" is no number"}));
}

TEST(Libffm, FieldsAreNumbered) {
  EXPECT_EQ(
      rows_of("1 0:11:1 2:7:0.5\n0 1:3:1\n1 5:1\n1 70000:1:1\n1 0:x:1\n", ExampleFormat::kLibffm),
      (Rows{"1 1 0:0:11:1 2:2:7:0.5", "0 1 1:1:3:1", "! 3 5:1: not field:index:value",
            "! 4 70000:1:1: the field must be from 0 to 65534",
            "! 5 0:x:1: the index must be from 0 to 4294967295"}));
  EXPECT_EQ(open_text("", ExampleFormat::kLibffm)->fields(), 0U);
}

// Random rows written in a format are read back as they were.
TEST(SparseReader, WhatIsWrittenIsReadBack) {
  Rng rng(5);
  for (const auto format : {ExampleFormat::kVw, ExampleFormat::kLibsvm, ExampleFormat::kLibffm}) {
    std::string text;
    Rows wanted;
    for (int row = 0; row < 500; ++row) {
      const int label = static_cast<int>(rng.below(2));
      std::string line = std::to_string(label), want = fmt::format("{} 1", label);
      if (format == ExampleFormat::kVw) line += " |";
      for (std::uint64_t i = 0, index = 0, n = rng.below(8); i < n; ++i) {
        const auto field = rng.below(5);
        index += 5 + 5 * rng.below(1000);
        index += field - index % 5;  // the names told are kept by index: it says the field
        const float value = static_cast<float>(rng.normal());
        if (format == ExampleFormat::kLibffm) {
          line += fmt::format(" {}:{}:{}", field, index, value);
          want += fmt::format(" {}:{}:{}:{}", field, field, index, value);
        } else {
          line += fmt::format(" {}:{}", index, value);
          want += fmt::format(" 0:{}:{}", index, value);
        }
      }
      text += line + "\n";
      wanted.push_back(want);
    }
    EXPECT_EQ(rows_of(text, format), wanted);
  }
}

TEST(SparseReader, ALongLineIsLeftOut) {
  const std::string text = "1 |a x\n1 |a " + std::string(2 << 20, 'x') + "\n0 |a y\n";
  EXPECT_EQ(rows_of(text, ExampleFormat::kVw),
            (Rows{"1 1 0:a^x:1", "0 1 0:a^y:1", "! 2 : a row longer than 1 MB"}));
}

}  // namespace
}  // namespace attune
