#include "profile/profile.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/rng.h"

namespace attune {
namespace {

const Time kNow = time_from_us(1'700'000'000'000'000);

Event event(Verb verb, std::string item = "", Time time = kNow) {
  Event e;
  e.verb = verb;
  e.item_id = std::move(item);
  e.time = time;
  return e;
}
std::string bytes(const Profile& profile) {
  std::string out;
  profile.encode(out);
  return out;
}
void expect_near(const DecayedCount& a, const DecayedCount& b, Time now) {
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(a.at(now)[i], b.at(now)[i], 1e-5 * static_cast<double>(a.at(now)[i]));
  }
}
const DecayedCount* engaged(const Profile& p, std::string_view name) {
  for (const auto& [category, affinity] : p.categories) {
    if (category == name) return &affinity.engaged;
  }
  return nullptr;
}
Profile sample(std::uint64_t seed) {
  Rng rng(seed);
  Profile p;
  for (Position at = 1; at <= 900; ++at) {
    const auto verb = static_cast<Verb>(rng.below(kVerbCount));
    auto e = event(verb, "i" + std::to_string(rng.below(99)), kNow + seconds(rng.uniform() * 1e6));
    e.traits = "{\"t" + std::to_string(rng.below(9)) + "\":" + std::to_string(at) + "}";
    p.apply(e, "c" + std::to_string(rng.below(40)), at * 2 + seed % 2);
  }
  return p;
}

TEST(DecayedCount, HalvesAndNeverGrows) {
  DecayedCount c;
  c.add(kNow, 2);
  EXPECT_FLOAT_EQ(c.at(kNow + seconds(3600))[0], 1);
  EXPECT_FLOAT_EQ(c.at(kNow + seconds(86400))[1], 1);
  EXPECT_FLOAT_EQ(c.at(kNow + seconds(7 * 86400))[2], 1);
  EXPECT_FLOAT_EQ(c.at(kNow + seconds(30 * 86400))[3], 1);
  EXPECT_EQ(c.at(kNow - seconds(3600))[0], 2);
}

TEST(DecayedCount, OrderOfEventsDoesNotMatter) {
  Rng rng(1);
  for (int round = 0; round < 200; ++round) {
    const Time x = kNow + seconds(rng.uniform() * 20000), y = kNow + seconds(rng.uniform() * 20000);
    DecayedCount a, b, c, d;
    a.add(x, 1);
    a.add(y, 3);
    b.add(y, 3);
    b.add(x, 1);
    c.add(x, 1);
    d.add(y, 3);
    c.merge(d);
    expect_near(a, b, kNow + seconds(30000));
    expect_near(a, c, kNow + seconds(30000));
  }
}

TEST(DecayedCount, RoundTrips) {
  DecayedCount c;
  c.add(kNow, 0.1F);
  c.add(kNow + seconds(77), 0.7F);
  std::string first, second;
  c.encode(first);
  Reader in(first);
  DecayedCount::decode(in).encode(second);
  EXPECT_TRUE(in.ok() && in.done());
  EXPECT_EQ(first, second);
}

TEST(Profile, FoldsEvents) {
  Profile p;
  p.apply(event(Verb::kImpression, "a"), "sport", 1);
  p.apply(event(Verb::kClick, "a"), "sport", 2);
  p.apply(event(Verb::kSearch), "", 3);
  EXPECT_EQ(p.position, 3u);
  ASSERT_EQ(p.counts.size(), 3u);
  ASSERT_EQ(p.categories.size(), 1u);
  EXPECT_EQ(p.categories[0].second.shown.at(kNow)[0], 1);
  EXPECT_EQ(p.categories[0].second.engaged.at(kNow)[0], 1);
  ASSERT_EQ(p.touches.size(), 1u);
  EXPECT_EQ(p.touches[0].item, item_key("a"));
  ASSERT_EQ(p.seen.size(), 1u);
}

TEST(Profile, LateEventEqualsOnTime) {
  Profile a, b;
  const auto x = event(Verb::kLike, "x", kNow), y = event(Verb::kLike, "y", kNow + seconds(5000));
  a.apply(x, "c", 1);
  a.apply(y, "c", 2);
  b.apply(y, "c", 1);
  b.apply(x, "c", 2);
  expect_near(a.counts[0].second, b.counts[0].second, kNow + seconds(9000));
  expect_near(*engaged(a, "c"), *engaged(b, "c"), kNow + seconds(9000));
  EXPECT_EQ(b.touches.back().item, item_key("x"));  // by arrival
}

TEST(Profile, ReplayIsIdempotent) {
  Profile p;
  p.apply(event(Verb::kClick, "a"), "c", 5);
  p.mark_shown(item_key("x"), "c", kNow, 6);
  p.mark_shown(item_key("y"), "d", kNow, 6);
  EXPECT_EQ(p.seen.size(), 2u);
  const auto before = bytes(p);
  p.apply(event(Verb::kClick, "a"), "c", 5);
  p.apply(event(Verb::kClick, "a"), "c", 6);
  p.mark_shown(item_key("x"), "c", kNow, 6);
  p.mark_shown(item_key("y"), "d", kNow, 6);
  p.mark_shown(item_key("z"), "d", kNow, 4);
  EXPECT_EQ(bytes(p), before);
}

TEST(Profile, MergesTraits) {
  Profile p;
  auto e = event(Verb::kIdentify);
  e.traits = R"({"plan":"free","age":3,"address":{ "city" : "Rome" }})";
  p.apply(e, "", 1);
  e.traits = "{\"plan\":\"pro\",\"long\":\"" + std::string(300, 'x') + "\"}";
  p.apply(e, "", 2);
  e.traits = "[broken";
  p.apply(e, "", 3);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"address", R"({"city":"Rome"})"}, {"age", "3"}, {"plan", "\"pro\""}};
  EXPECT_EQ(p.traits, expected);
  for (Position at = 4; at < 100; ++at) {
    e.traits = "{\"t" + std::to_string(at) + "\":1}";
    p.apply(e, "", at);
  }
  EXPECT_EQ(p.traits.size(), kTraitCount);
}

TEST(Profile, KeepsCaps) {
  Profile p;
  Position at = 0;
  for (int i = 0; i < 100; ++i) {
    p.apply(event(Verb::kClick, "i" + std::to_string(i)), "c" + std::to_string(100 + i), ++at);
    if (i == 0) p.apply(event(Verb::kClick, "i0"), "c100", ++at);  // two clicks: stays
  }
  EXPECT_EQ(p.touches.size(), kSequenceLength);
  EXPECT_EQ(p.touches.back().item, item_key("i99"));
  EXPECT_EQ(p.categories.size(), kCategoryCount);
  EXPECT_NE(engaged(p, "c100"), nullptr);
  EXPECT_EQ(engaged(p, "c101"), nullptr);
  EXPECT_NE(engaged(p, "c199"), nullptr);
  for (std::uint64_t i = 1; i <= 600; ++i) p.mark_shown(ItemKey{i}, "", kNow, ++at);
  EXPECT_EQ(p.seen.size(), kSeenLength);
  EXPECT_EQ(p.seen.back().first, ItemKey{600});
}

TEST(Profile, RoundTripsAndRefusesGarbage) {
  const auto good = bytes(sample(7));
  const auto decoded = Profile::decode(good);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(bytes(*decoded), good);
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(Profile::decode(std::string_view(good).substr(0, n)).ok());
  }
  Rng rng(3);
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    if (round % 2 == 0) bad.resize(rng.below(200));
    for (int i = 0; i < (round % 2 == 0 ? 200 : 3); ++i) {
      if (!bad.empty()) bad[rng.below(bad.size())] = static_cast<char>(rng.below(256));
    }
    if (!bad.empty()) bad[0] = 1;
    const auto result = Profile::decode(bad);
    if (result.ok()) {
      auto merged = merge({&result.value(), &decoded.value()});
      merged.apply(event(Verb::kClick, "a"), "new", merged.position + 1);
      EXPECT_LE(merged.categories.size(), kCategoryCount);
    }
  }
}

TEST(Profile, Merges) {
  Profile a, b;
  auto e = event(Verb::kIdentify);
  e.traits = R"({"x":1,"y":1})";
  a.apply(e, "", 10);
  e.traits = R"({"y":2,"z":2})";
  b.apply(e, "", 20);
  a.apply(event(Verb::kClick, "late", kNow + seconds(9)), "c", 30);
  b.apply(event(Verb::kClick, "early", kNow), "c", 21);
  b.denied_purposes = 2;
  a.denied_purposes = 1;
  const Profile m = merge({&a, &b}), n = merge({&b, &a});
  EXPECT_EQ(bytes(m), bytes(n));
  EXPECT_EQ(m.position, 30u);
  EXPECT_EQ(m.denied_purposes, 3);
  ASSERT_EQ(m.traits.size(), 3u);
  EXPECT_EQ(m.traits[1].second, "1");  // a's position is the later
  ASSERT_EQ(m.touches.size(), 2u);
  EXPECT_EQ(m.touches[1].item, item_key("late"));
  EXPECT_NEAR(engaged(m, "c")->at(kNow + seconds(9))[3], 2, 1e-4);
  const Profile x = sample(1), y = sample(2), big = merge({&x, &y});
  EXPECT_LE(big.categories.size(), kCategoryCount);
  EXPECT_EQ(big.touches.size(), kSequenceLength);
  EXPECT_TRUE(Profile::decode(bytes(big)).ok());
  EXPECT_EQ(bytes(merge({})), bytes(Profile()));
}

}  // namespace
}  // namespace attune
