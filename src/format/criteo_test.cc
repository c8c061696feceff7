#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "base/rng.h"
#include "format/example_reader.h"
#include "format/feature_hash.h"
#include "format/integer_token.h"

namespace attune {
namespace {

std::unique_ptr<ExampleReader> open_text(const std::string& text, ExampleOptions options = {}) {
  auto bytes = ByteSource::of_memory(text, "f");
  auto reader = ExampleReader::open(std::move(*bytes), ExampleFormat::kCriteo, std::move(options));
  CHECK(reader.ok());
  return std::move(*reader);
}

// The plain twin: by the words of the format, one row of one line.
struct PlainRow {
  bool is_good = false;
  float label = NAN;
  std::vector<std::uint32_t> hashes;
  std::vector<float> numbers;  // of the integers; NaN = missing
};

std::string plain_token(const std::string& cell, bool is_integer) {
  if (!is_integer || cell.empty()) return cell;
  const long long x = std::stoll(cell);
  if (x > -8 && x < 8) return std::to_string(x);
  const double step = std::floor(4 * std::log(std::abs(static_cast<double>(x)) / 8));
  return (x < 0 ? "-~" : "~") + std::to_string(static_cast<long long>(step));
}

bool is_integer(const std::string& cell) {
  const std::string digits = cell.substr(cell.starts_with("-") ? 1 : 0);
  return !digits.empty() && digits.size() <= 18 &&
         digits.find_first_not_of("0123456789") == std::string::npos;
}

PlainRow plain_row(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == '\t') {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  PlainRow row;
  if (cells.size() == 40) {
    if (cells[0] != "0" && cells[0] != "1" && !cells[0].empty()) return row;
    if (!cells[0].empty()) row.label = cells[0] == "1" ? 1.0F : 0.0F;
    cells.erase(cells.begin());
  }
  if (cells.size() != 39) return row;
  for (std::uint32_t field = 0; field < 39; ++field) {
    if (field < 13 && !cells[field].empty() && !is_integer(cells[field])) return row;
    row.hashes.push_back(feature_hash(field, plain_token(cells[field], field < 13)));
    if (field >= 13) continue;
    const double number = cells[field].empty() ? NAN : std::stod(cells[field]);
    row.numbers.push_back(static_cast<float>(std::clamp(number, -1e6, 1e6)));
  }
  row.is_good = true;
  return row;
}

std::string random_cell(Rng& rng, bool is_integer) {
  if (rng.chance(0.2)) return "";
  if (rng.chance(0.002)) return "x y";
  if (!is_integer) {
    return rng.chance(0.9) ? fmt::format("{:08x}", rng.below(1ULL << 32))
                           : std::string(rng.below(20), 'q');
  }
  const auto size = static_cast<std::int64_t>(rng.below(1ULL << rng.below(59)));
  return std::to_string(rng.chance(0.1) ? -size : size);
}

std::string random_line(Rng& rng) {
  std::string line;
  if (rng.chance(0.9)) line = rng.chance(0.99) ? std::to_string(rng.below(2)) + "\t" : "2\t";
  const std::size_t width = rng.chance(0.99) ? 39 : 30 + rng.below(15);
  for (std::size_t i = 0; i < width; ++i) {
    line += (i == 0 ? "" : "\t") + random_cell(rng, i < 13);
  }
  return line;
}

struct RandomText {
  std::string text;
  std::vector<PlainRow> wanted;  // the good ones
  std::size_t bad = 0;
};

RandomText random_text() {
  Rng rng(1);
  RandomText out;
  for (int i = 0; i < 5000; ++i) {
    const std::string line = random_line(rng);
    out.text += line + (rng.chance(0.5) ? "\n" : "\r\n");
    const PlainRow row = plain_row(line);
    if (row.is_good) out.wanted.push_back(row);
    out.bad += !row.is_good;
  }
  return out;
}

TEST(Criteo, AgreesWithItsPlainTwin) {
  const auto [text, wanted, bad] = random_text();
  const auto reader = open_text(text);
  Examples block;
  std::size_t at = 0;
  while (reader->next(64, block).value()) {
    for (std::size_t r = 0; r < block.size(); ++r, ++at) {
      ASSERT_LT(at, wanted.size());
      ASSERT_EQ(std::isnan(block.labels[r]), std::isnan(wanted[at].label));
      if (!std::isnan(wanted[at].label)) {
        ASSERT_EQ(block.labels[r], wanted[at].label);
      }
      ASSERT_EQ(block.row(r).size(), 39U);
      for (std::size_t f = 0; f < 39; ++f) {
        ASSERT_EQ(block.row(r)[f].hash, wanted[at].hashes[f]) << at << " " << f;
        ASSERT_EQ(block.row(r)[f].value, 1.0F);
        ASSERT_EQ(block.fields_of(r)[f], f);
      }
    }
  }
  EXPECT_EQ(at, wanted.size());
  EXPECT_EQ(reader->bad_rows(), bad);
  EXPECT_GT(bad, 50U);
  EXPECT_EQ(reader->fields(), 39U);
}

TEST(Criteo, IntegersAreNumbersForWhoAsks) {
  const auto [text, wanted, bad] = random_text();
  const auto reader = open_text(text, {.has_numbers = true});
  Examples block;
  std::size_t at = 0;
  while (reader->next(64, block).value()) {
    for (std::size_t r = 0; r < block.size(); ++r, ++at) {
      ASSERT_LT(at, wanted.size());
      const Row row = block.row(r);
      const auto fields = block.fields_of(r);
      std::size_t i = 0;
      for (std::uint16_t f = 0; f < 39; ++f) {
        if (f < 13 && std::isnan(wanted[at].numbers[f])) continue;
        ASSERT_LT(i, row.size());
        ASSERT_EQ(fields[i], f);
        ASSERT_EQ(row[i].hash, f < 13 ? feature_hash(f, "") : wanted[at].hashes[f]);
        ASSERT_EQ(row[i].value, f < 13 ? wanted[at].numbers[f] : 1.0F) << at << " " << f;
        ++i;
      }
      ASSERT_EQ(i, row.size());
    }
  }
  EXPECT_EQ(at, wanted.size());
  EXPECT_EQ(reader->bad_rows(), bad);
}

std::string line_of(const std::string& label, const std::string& i1, const std::string& c26) {
  return label + "\t" + i1 + std::string(38, '\t') + c26 + "\n";
}

TEST(Criteo, BadRowsAreCountedAndNamed) {
  const auto reader =
      open_text(line_of("1", "5", "a") + line_of("yes", "5", "a") + line_of("0", "five", "a") +
                "1\t2\n" + line_of("1", "5", std::string(300, 'a')) + line_of("0", "6", "b"));
  Examples block;
  ASSERT_TRUE(reader->next(10, block).value());
  EXPECT_EQ(block.labels, (std::vector<float>{1, 0}));
  EXPECT_FALSE(reader->next(10, block).value());
  EXPECT_EQ(block.size(), 0U);
  ASSERT_EQ(reader->bad_rows(), 4U);
  const auto bad = reader->first_bad();
  EXPECT_EQ(bad[0].line, 2U);
  EXPECT_EQ(bad[0].reason, "\"yes\" is no label: it must be 0 or 1");
  EXPECT_EQ(bad[1].column, "I1");
  EXPECT_EQ(bad[1].reason, "\"five\" is no integer");
  EXPECT_EQ(bad[2].reason, "2 columns, must be 40, or 39 without label");
  EXPECT_EQ(bad[3].column, "C26");
}

TEST(Criteo, NamesAreToldWithTheirHashes) {
  std::map<std::string, std::uint32_t, std::less<>> names;
  const auto reader = open_text(
      line_of("1", "170", "a1b2c3d4"),
      {.names = [&](std::uint32_t hash, std::string_view name) { names.emplace(name, hash); }});
  Examples block;
  ASSERT_TRUE(reader->next(10, block).value());
  EXPECT_EQ(names.size(), 39U);
  EXPECT_EQ(names.at("I1=161..206"), block.features[0].hash);
  EXPECT_EQ(names.at("I2="), block.features[1].hash);
  EXPECT_EQ(names.at("C26=a1b2c3d4"), block.features[38].hash);
}

TEST(Criteo, NumbersAreNamedByTheirSteps) {
  std::map<std::string, std::uint32_t, std::less<>> names;
  const auto reader = open_text(
      line_of("1", "170", "a1b2c3d4"),
      {.names = [&](std::uint32_t hash, std::string_view name) { names.emplace(name, hash); },
       .has_numbers = true});
  Examples block;
  ASSERT_TRUE(reader->next(10, block).value());
  EXPECT_EQ(names.size(), 27U);
  EXPECT_EQ(block.features.size(), 27U);
  EXPECT_EQ(block.features[0].value, 170);
  EXPECT_EQ(names.at("I1=161..206"), block.features[0].hash);
  EXPECT_EQ(names.at("C26=a1b2c3d4"), block.features[26].hash);
}

TEST(Criteo, ARowCutOffAtTheEndIsBad) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += line_of("1", std::to_string(i), "a");
  const auto reader = open_text(text.substr(0, text.size() - 20));
  Examples block;
  ASSERT_TRUE(reader->next(100, block).value());
  EXPECT_EQ(block.size(), 19U);
  EXPECT_EQ(reader->bad_rows(), 1U);
}

TEST(IntegerToken, StepsAreThoseOfTheLogarithm) {
  EXPECT_EQ(integer_token_text(0), "");
  for (std::int64_t x = -7; x < 8; ++x) {
    EXPECT_EQ(integer_token_text(integer_token(x)), std::to_string(x));
  }
  std::set<std::size_t> tokens;
  for (std::int64_t x = 8; x < 1'000'000; x += 1 + x / 50) {
    EXPECT_EQ(integer_token_text(integer_token(x)), plain_token(std::to_string(x), true)) << x;
    EXPECT_EQ(integer_token_text(integer_token(-x)), plain_token(std::to_string(-x), true)) << x;
    tokens.insert(integer_token(x));
  }
  EXPECT_EQ(tokens.size(), 47U);
  EXPECT_EQ(integer_token_name(integer_token(8)), "8..10");
  EXPECT_EQ(integer_token_name(integer_token(-9)), "-10..-8");
  EXPECT_LT(integer_token(std::numeric_limits<std::int64_t>::max()), kIntegerTokens);
  EXPECT_LT(integer_token(std::numeric_limits<std::int64_t>::min()), kIntegerTokens);
}

TEST(FeatureHash, SpreadsTokensEvenly) {
  // n tokens in m = 2^20 slots: expected slots in use m (1 - exp(-n / m)), and its standard
  // deviation is below 0.35 sqrt(m); 5 of them.
  const double slots = 1 << 20;
  for (const int kind : {0, 1, 2}) {
    std::vector<bool> used(1 << 20);
    const int count = 400'000;
    for (int i = 0; i < count; ++i) {
      const auto number = static_cast<std::uint32_t>(i);
      const std::string token = kind == 0   ? std::to_string(i / 4)
                                : kind == 1 ? fmt::format("{:08x}", i / 4)
                                            : fmt::format("item/{:010}", i / 4);
      used[feature_hash(number % 4, token) & ((1U << 20) - 1)] = true;
    }
    const double wanted = slots * (1 - std::exp(-count / slots));
    EXPECT_NEAR(static_cast<double>(std::ranges::count(used, true)), wanted,
                5 * 0.35 * std::sqrt(slots))
        << kind;
  }
}

TEST(FeatureHash, StaysTheSameForEver) {
  EXPECT_EQ(feature_hash(0, ""), 3995548562U) << "recorded once; stored models hold such numbers";
  EXPECT_EQ(feature_hash(3, "a1b2c3d4"), 1401970958U);
  EXPECT_EQ(feature_hash(7, "longer than eight"), 2922918560U);
}

}  // namespace
}  // namespace attune
