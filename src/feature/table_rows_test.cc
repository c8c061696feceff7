#include "feature/table_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace attune {
namespace {

using Columns = std::vector<std::string>;
using Line = std::vector<std::string_view>;

Plan plan_of(std::string_view toml) {
  auto plan = Plan::declare(toml, "p");
  EXPECT_TRUE(plan.ok()) << plan.error().message;
  return plan.ok() ? *plan : Plan{};
}

TableRows fitted(std::string_view toml, const Columns& columns, const std::vector<Line>& lines) {
  auto rows = TableRows::make(plan_of(toml), columns);
  EXPECT_TRUE(rows.ok()) << rows.error().message;
  for (const Line& line : lines) rows->fit(line);
  const Status done = rows->finish_fit();
  EXPECT_TRUE(done.ok()) << done.error().message;
  return std::move(*rows);
}

// Name -> value of one row; names() and append() must go hand in hand.
std::map<std::string, float> row_of(const TableRows& rows, const Line& line) {
  Examples examples;
  rows.append(line, examples);
  std::map<std::string, float> out;
  std::size_t at = 0;
  rows.name(line, [&](std::uint32_t hash, std::string_view name) {
    ASSERT_LT(at, examples.features.size());
    EXPECT_EQ(examples.features[at].hash, hash);
    EXPECT_LT(examples.fields[at], rows.fields());
    EXPECT_TRUE(out.emplace(name, examples.features[at].value).second) << name << " twice";
    ++at;
  });
  EXPECT_EQ(at, examples.features.size());
  EXPECT_EQ(examples.size(), 1u);
  return out;
}

using Values = std::map<std::string, float>;

TEST(TableRows, CategoriesHaveAWeightAValueAndOneForNone) {
  const auto rows = fitted("[[feature]]\nkind = \"category\"\nof = \"column.job\"\n", {"job"}, {});
  EXPECT_EQ(row_of(rows, {" admin. "}), (Values{{"job=admin.", 1}}));
  EXPECT_EQ(row_of(rows, {""}), (Values{{"job is missing", 1}}));
}

TEST(TableRows, RareValuesShareAWeight) {
  const auto rows = fitted("[[feature]]\nkind = \"category\"\nof = \"column.job\"\nmin_count = 2\n",
                           {"job"}, {{"a"}, {"b"}, {"a"}});
  EXPECT_EQ(row_of(rows, {"a"}), (Values{{"job=a", 1}}));
  EXPECT_EQ(row_of(rows, {"b"}), (Values{{"job is rare", 1}}));
  EXPECT_EQ(row_of(rows, {"never seen"}), (Values{{"job is rare", 1}}));
}

TEST(TableRows, NumbersAreStandardisedByTheTrainingRows) {
  const auto rows = fitted("[[feature]]\nkind = \"number\"\nof = \"column.age\"\n", {"age"},
                           {{"1"}, {"3"}, {""}});
  EXPECT_EQ(row_of(rows, {"5"}), (Values{{"age", 3}}));  // mean 2, deviation 1
  EXPECT_EQ(row_of(rows, {"2"}), Values{});
  EXPECT_EQ(row_of(rows, {"n/a"}), (Values{{"age is no number", 1}}));
  EXPECT_EQ(row_of(rows, {"1e9"}), (Values{{"age", 10}}));  // kept within 10 deviations
  EXPECT_EQ(rows.field_names(), (Columns{"age", "age is no number"}));
}

TEST(TableRows, ALogarithmKeepsTheSign) {
  const auto rows =
      fitted("[[feature]]\nkind = \"number\"\nof = \"column.x\"\nlog = true\nstandardise = false\n",
             {"x"}, {});
  EXPECT_FLOAT_EQ(row_of(rows, {"-9"})["log x"], static_cast<float>(-std::log(10)));
  EXPECT_FALSE(rows.needs_fit());
}

TEST(TableRows, BinsAreAboutEquallyFull) {
  std::vector<std::string> texts;
  for (int i = 1; i <= 100; ++i) texts.push_back(std::to_string(i));
  std::vector<Line> lines;
  for (const std::string& text : texts) lines.push_back({text});
  const auto rows =
      fitted("[[feature]]\nkind = \"bins\"\nof = \"column.x\"\nbins = 4\n", {"x"}, lines);
  EXPECT_EQ(row_of(rows, {"25"}), (Values{{"x in (-inf, 25]", 1}}));
  EXPECT_EQ(row_of(rows, {"26"}), (Values{{"x in (25, 50]", 1}}));
  EXPECT_EQ(row_of(rows, {"1000"}), (Values{{"x in (75, inf)", 1}}));
  EXPECT_EQ(row_of(rows, {"?"}), (Values{{"x in no bin", 1}}));
}

TEST(TableRows, BagsCountEachTokenOnce) {
  const auto rows = fitted("[[feature]]\nkind = \"bag\"\nof = \"column.t\"\n", {"t"}, {});
  EXPECT_EQ(row_of(rows, {"b a|b;a"}),
            (Values{{"t has b", std::sqrt(0.5F)}, {"t has a", std::sqrt(0.5F)}}));
  EXPECT_EQ(row_of(rows, {R"(["x y","x"])"}).size(), 3u);  // space parts tokens, too
  EXPECT_EQ(row_of(rows, {" ,, "}), Values{});
  const auto by_bar =
      fitted("[[feature]]\nkind = \"bag\"\nof = \"column.t\"\nseparator = \" | \"\n", {"t"}, {});
  EXPECT_EQ(row_of(by_bar, {"hot dog | tea"}).count("t has hot dog"), 1u);
}

TEST(TableRows, SequencesFadeWithTheirPlace) {
  const auto rows = fitted(
      "[[feature]]\nkind = \"sequence\"\nof = \"column.h\"\nlast = 3\ndecay = 0.5\n", {"h"}, {});
  EXPECT_EQ(row_of(rows, {"a b c d"}),
            (Values{{"h had d", 1}, {"h had c", 0.5F}, {"h had b", 0.25F}}));
  EXPECT_EQ(row_of(rows, {"a b a"}), (Values{{"h had a", 1}, {"h had b", 0.5F}}));
}

// Ids of a sequence are, turned, those of what its entries are values of, rare ones too; after
// columns changed places and when read again.
TEST(TableRows, SequencesKnowWhatTheirEntriesAreValuesOf) {
  constexpr std::string_view kPlan =
      "[[feature]]\nkind = \"sequence\"\nof = \"column.h\"\nas = \"column.item\"\ndecay = 1\n"
      "[[feature]]\nkind = \"category\"\nof = \"column.item\"\nmin_count = 2\n";
  const auto rows = fitted(kPlan, {"h", "item"}, {{"", "a"}, {"", "a"}, {"", "b"}});
  EXPECT_EQ(row_of(rows, {"b a", "a"}), (Values{{"h had a", 1}, {"h had b", 1}, {"item=a", 1}}));
  std::string bytes;
  rows.encode(bytes);
  const auto turned = rows.bind(Columns{"item", "h"});
  const auto again = TableRows::decode(bytes);
  ASSERT_TRUE(turned.ok() && again.ok());
  for (const TableRows* of : {&rows, &*turned, &*again}) {
    ASSERT_EQ(of->sequences(), rows.sequences());
    const SequenceField sequence = of->sequences().at(0);
    EXPECT_EQ(sequence.field, 0);
    EXPECT_EQ(sequence.like, 1);
    EXPECT_NE(sequence.turn, 0U);
    for (const char* item : {"a", "b", "new"}) {
      Examples out;
      of->append(Line{item, item}, out);
      ASSERT_EQ(out.features.size(), 2U);
      EXPECT_EQ(out.features[0].hash ^ sequence.turn, out.features[1].hash) << item;
    }
  }
}

TEST(TableRows, CrossesVectorsAndTimes) {
  const Columns columns = {"a", "b", "v", "t"};
  const auto rows = fitted(
      "[[feature]]\nkind = \"cross\"\nof = [\"column.b\", \"column.a\"]\n"
      "[[feature]]\nkind = \"vector\"\nof = \"column.v\"\n"
      "[[feature]]\nkind = \"time\"\nof = \"column.t\"\npart = \"hour\"\n"
      "[[feature]]\nkind = \"time\"\nof = \"column.t\"\npart = \"weekday\"\n",
      columns, {{"", "", "[1, 2]", ""}, {"", "", "3 4", ""}, {"", "", "3", ""}});
  EXPECT_EQ(
      row_of(rows, {"x", "y", "[0.5, -2]", "2026-11-25T13:05:00Z"}),
      (Values{
          {"b=y x a=x", 1}, {"v[0]", 0.5F}, {"v[1]", -2}, {"t hour=13", 1}, {"t weekday=Wed", 1}}));
  EXPECT_EQ(row_of(rows, {"x", "", "1 2 3", "1795612000"}),
            (Values{{"t hour=13", 1}, {"t weekday=Wed", 1}}));
  EXPECT_EQ(row_of(rows, {"", "", "1 a", "2026-11-25 13:05"}).size(), 2u);
  EXPECT_EQ(rows.field_names(), (Columns{"b x a", "v[0]", "v[1]", "t hour", "t weekday"}));
}

TEST(TableRows, LabelsAndWeights) {
  constexpr std::string_view kPlan =
      "target = \"y\"\npositive = \"yes\"\nweight = \"w\"\n[[feature]]\nkind = \"category\"\nof = "
      "\"column.a\"\n";
  const auto rows = fitted(kPlan, {"y", "a", "w"}, {});
  Examples out;
  rows.append(Line{"yes", "", "2"}, out);
  rows.append(Line{"no", "", "-1"}, out);
  rows.append(Line{"", "", "x"}, out);
  EXPECT_EQ(out.labels[0], 1);
  EXPECT_EQ(out.labels[1], 0);
  EXPECT_TRUE(std::isnan(out.labels[2]));
  EXPECT_EQ(out.weights, (std::vector<float>{2, 0, 0}));
}

constexpr std::string_view kWide =
    "target = \"y\"\n"
    "[[feature]]\nkind = \"bias\"\n"
    "[[feature]]\nkind = \"category\"\nof = \"column.job\"\nmin_count = 2\n"
    "[[feature]]\nkind = \"number\"\nof = \"column.age\"\n"
    "[[feature]]\nkind = \"bins\"\nof = \"column.age\"\nbins = 3\n"
    "[[feature]]\nkind = \"bag\"\nof = \"column.tags\"\nscale = 0.5\n";
const std::vector<Line> kLines = {
    {"1", "a", "30", "x y"}, {"0", "a", "40", ""}, {"0", "b", "55", "z"}, {"1", "", "", "x"}};

TEST(TableRows, OrderOfColumnsIsIrrelevantAndTheTargetMayBeAbsent) {
  const auto rows = fitted(kWide, {"y", "job", "age", "tags"}, kLines);
  const auto turned = rows.bind(Columns{"tags", "more", "age", "job"});
  ASSERT_TRUE(turned.ok());
  for (const Line& line : kLines) {
    Examples a, b;
    rows.append(line, a);
    turned->append(Line{line[3], "?", line[2], line[1]}, b);
    ASSERT_EQ(a.features.size(), b.features.size());
    for (std::size_t i = 0; i < a.features.size(); ++i) {
      EXPECT_EQ(a.features[i].hash, b.features[i].hash);
      EXPECT_EQ(a.features[i].value, b.features[i].value);
    }
    EXPECT_TRUE(std::isnan(b.labels[0]));
  }
  const auto without = rows.bind(Columns{"y", "jobs", "age", "tags"});
  ASSERT_FALSE(without.ok());
  EXPECT_EQ(without.error().message, "no column job, did you mean jobs?");
}

TEST(TableRows, SavedAndReadAgainMakesTheSameRows) {
  const auto rows = fitted(kWide, {"y", "job", "age", "tags"}, kLines);
  std::string bytes, again_bytes;
  rows.encode(bytes);
  const auto again = TableRows::decode(bytes);
  ASSERT_TRUE(again.ok()) << again.error().message;
  again->encode(again_bytes);
  EXPECT_EQ(bytes, again_bytes);
  for (const Line& line : kLines) EXPECT_EQ(row_of(rows, line), row_of(*again, line));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(TableRows::decode(bytes.substr(0, size)).ok()) << size;
  }
}

TEST(TableRows, SaysWhatIsWrong) {
  const auto fault = [](std::string_view toml) {
    const auto rows = TableRows::make(plan_of(toml), Columns{"age", "y"});
    return rows.ok() ? "" : rows.error().message;
  };
  EXPECT_EQ(fault("[[feature]]\nkind = \"number\"\nof = \"column.agr\"\n"),
            "no column agr, did you mean age?");
  EXPECT_EQ(fault("[[feature]]\nkind = \"item\"\n"),
            "a feature of kind item is of decisions, not of a table");
  EXPECT_EQ(fault("target = \"y\"\n[[feature]]\nkind = \"number\"\nof = \"column.y\"\n"),
            "column.y is the target and a feature");
  auto rows = TableRows::make(plan_of("[[feature]]\nkind = \"number\"\nof = \"column.age\"\n"),
                              Columns{"age"});
  ASSERT_TRUE(rows.ok());
  rows->fit(Line{"old"});
  EXPECT_EQ(rows->finish_fit().error().message,
            "column age: 1 of 1 cells are no numbers, the first is old");
}

TEST(TableRows, AppendDoesNotAllocateIntoGrownExamples) {
  const auto rows = fitted(kWide, {"y", "job", "age", "tags"}, kLines);
  Examples out;
  rows.append(kLines[0], out);
  const Feature* const data = out.features.data();
  out.clear();
  rows.append(kLines[0], out);
  EXPECT_EQ(out.features.data(), data);
}

}  // namespace
}  // namespace attune
