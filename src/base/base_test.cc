#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/result.h"
#include "base/rng.h"
#include "base/time.h"

namespace attune {
namespace {

TEST(Time, ReadsAndWritesIso8601) {
  const auto time = parse_iso8601("2026-11-02T10:11:12.345Z");
  ASSERT_TRUE(time.has_value());
  EXPECT_EQ(format_iso8601(*time), "2026-11-02T10:11:12.345Z");
  EXPECT_EQ(parse_iso8601("2026-11-02T12:11:12.345+02:00"), time);
  EXPECT_EQ(parse_iso8601("2026-11-02T04:41:12.345-0530"), time);
  EXPECT_EQ(format_iso8601(*parse_iso8601("1969-12-31")), "1969-12-31T00:00:00.000Z");
}

TEST(Time, RefusesWhatIsNotATime) {
  for (const char* text : {"", "now", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
                           "2026-01-01T25:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00Zx",
                           "2026-01-01T00:00:00+99:00", "-026-01-01T00:00:00Z", "2026-1-01"}) {
    EXPECT_FALSE(parse_iso8601(text).has_value()) << text;
  }
}

TEST(Json, EscapesTextAndSeparatesValues) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("a", "x\"\\\n").field("b", 1.5).key("c").begin_array();
  json.value(1).value(true).null().value(0.0 / 1.0).end_array().field("d", std::int64_t{-7});
  json.end_object();
  EXPECT_EQ(out, R"({"a":"x\"\\\u000a","b":1.5,"c":[1,true,null,0],"d":-7})");
}

TEST(Json, WritesNoNumberThatJsonDoesNotHave) {
  std::string out;
  JsonWriter(out).value(std::nan(""));
  EXPECT_EQ(out, "null");
}

TEST(Bytes, RoundTripsAndStopsAtTheEnd) {
  std::string out;
  Writer writer(out);
  writer.varint(300);
  writer.svarint(-5);
  writer.f64(0.25);
  writer.str("abc");
  Reader reader(out);
  EXPECT_EQ(reader.varint(), 300u);
  EXPECT_EQ(reader.svarint(), -5);
  EXPECT_EQ(reader.f64(), 0.25);
  EXPECT_EQ(reader.str(), "abc");
  EXPECT_TRUE(reader.ok() && reader.done());
  EXPECT_EQ(reader.u64(), 0u);
  EXPECT_FALSE(reader.ok());
}

TEST(Bytes, EveryTruncationIsAFaultNotAnOverrun) {
  std::string out;
  Writer writer(out);
  writer.u64(7);
  writer.str("hello");
  for (std::size_t n = 0; n < out.size(); ++n) {
    Reader reader(std::string_view(out).substr(0, n));
    reader.u64();
    reader.str();
    EXPECT_FALSE(reader.ok()) << n;
  }
}

TEST(Rng, IsUniformAndRepeatable) {
  Rng a(7), b(7);
  double sum = 0, square = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = a.uniform();
    ASSERT_EQ(x, b.uniform());
    sum += x;
    square += x * x;
  }
  EXPECT_NEAR(sum / 1e5, 0.5, 4 * 0.2887 / std::sqrt(1e5));  // 4 standard errors
  EXPECT_NEAR(square / 1e5, 1.0 / 3, 4 * 0.2981 / std::sqrt(1e5));
}

TEST(Rng, NormalHasMeanZeroAndVarianceOne) {
  Rng rng(3);
  double sum = 0, square = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = rng.normal();
    sum += x;
    square += x * x;
  }
  EXPECT_NEAR(sum / 1e5, 0, 4 / std::sqrt(1e5));
  EXPECT_NEAR(square / 1e5, 1, 4 * std::sqrt(2 / 1e5));
}

Result<int> half(int n) {
  if (n % 2 != 0) return Error{Code::kInvalid, "odd", "n", ""};
  return n / 2;
}
Result<int> quarter(int n) {
  TRY(const int once, half(n));
  return half(once);
}

TEST(Result, TryPassesTheErrorUp) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
}

TEST(Hash, IsTheSameOnEveryMachine) {
  EXPECT_EQ(hash64("attune"), hash64("attune"));
  EXPECT_NE(hash64("attune"), hash64("attune", 1));
  EXPECT_NE(mix64(1, 2), mix64(2, 1));
}

}  // namespace
}  // namespace attune
