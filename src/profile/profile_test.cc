#include "profile/profile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>

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
ItemView about(std::string_view item, std::uint32_t topic) {
  static std::map<std::uint32_t, Topic> known;  // stays where it is
  if (topic == 0) return {.key = item_key(item)};
  const Topic& only = known.try_emplace(topic, Topic{topic, 1}).first->second;
  return {.key = item_key(item), .topics = {&only, 1}};
}
ItemView about(const Event& e, std::uint32_t topic) { return about(e.item_id, topic); }
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
Profile sample(std::uint64_t seed) {
  Rng rng(seed);
  Profile p;
  for (Position at = 1; at <= 900; ++at) {
    const auto verb = static_cast<Verb>(rng.below(kVerbCount));
    auto e = event(verb, "i" + std::to_string(rng.below(99)), kNow + seconds(rng.uniform() * 1e6));
    e.traits = "{\"t" + std::to_string(rng.below(9)) + "\":" + std::to_string(at) + "}";
    const auto topic = static_cast<std::uint32_t>(rng.below(70));
    p.apply(e, about(e, topic), at * 2 + seed % 2);
    if (rng.chance(0.3)) {
      p.mark_shown(about("i" + std::to_string(rng.below(99)), topic), 0.1F, rng.chance(0.5), e.time,
                   p.position);
    }
  }
  return p;
}

TEST(DecayedCount, HalvesAndNeverGrows) {
  DecayedCount c;
  c.add(kNow, 2);
  EXPECT_FLOAT_EQ(c.at(kNow + seconds(3600))[k1h], 1);
  EXPECT_FLOAT_EQ(c.at(kNow + seconds(86400))[k24h], 1);
  EXPECT_FLOAT_EQ(c.at(kNow + seconds(7 * 86400))[k7d], 1);
  EXPECT_FLOAT_EQ(c.at(kNow + seconds(30 * 86400))[k30d], 1);
  EXPECT_EQ(c.at(kNow - seconds(3600))[k1h], 2);
  EXPECT_EQ(DecayedCount().at(kNow, k30d), 0);
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

TEST(DecayedCount, ContinuingAfterDecodeEqualsNeverHavingStopped) {
  Rng rng(2);
  DecayedCount whole, stopped;
  const std::uint32_t base = whole_seconds(kNow) + 40'000'000;
  for (int i = 0; i < 500; ++i) {
    const Time when = kNow + seconds(i * 70000.0 - (rng.chance(0.3) ? 9000 : 0));
    const auto amount = static_cast<float>(rng.chance(0.5) ? 1 : rng.uniform());
    whole.add(when, amount);
    stopped.add(when, amount);
    std::string first, second;
    stopped.encode(first, base);
    Reader in(first);
    ASSERT_TRUE(DecayedCount::decode(in, base, stopped) && in.done());
    whole.encode(second, base);
    ASSERT_EQ(first, second);
  }
  DecayedCount once;
  once.add(kNow);
  std::string small;
  once.encode(small, whole_seconds(kNow));
  EXPECT_EQ(small.size(), 2u);
}

TEST(Interest, RisesWithAnswersFallsWithoutAndReturns) {
  Profile p, q;
  Position at = 0;
  for (int i = 0; i < 6; ++i) {
    const std::string id = "i" + std::to_string(i);
    p.mark_shown(about(id, 7), 0.1F, true, kNow, ++at);
    q.mark_shown(about(id, 7), 0.1F, true, kNow, at);
    if (i < 3) p.apply(event(Verb::kClick, id), about(id, 7), ++at);
  }
  EXPECT_GT(p.interest(7)->mean(), 0.5F);
  EXPECT_LT(q.interest(7)->mean(), 0.0F);
  EXPECT_LT(p.interest(7)->variance(), kInterestVariance);
  const Interest later = p.interest(7)->at(p.interest(7)->as_of_h + 30 * 24);
  EXPECT_NEAR(later.mean(), p.interest(7)->mean() / 2, 1e-3);
  EXPECT_GT(later.variance(), p.interest(7)->variance());
  EXPECT_EQ(p.interest(8), nullptr);
  EXPECT_EQ(p.interest(0)->mean(), p.interest(7)->mean());  // "anything" met the same
}

// The belief after answers drawn at a known rate finds what was known: 4 standard errors, n = 4000.
TEST(Interest, FindsTheTruth) {
  Rng rng(5);
  const double offset = -2.2, truth = 0.9;
  double sum = 0, squares = 0;
  constexpr int kPeople = 200;
  for (int person = 0; person < kPeople; ++person) {
    Interest interest{.topic = 1};
    for (int i = 0; i < 80; ++i) {
      const double p = 1 / (1 + std::exp(-(offset + double{interest.mean()})));
      add_shown(interest, 1, static_cast<float>(p), interest.variance());
      if (rng.chance(1 / (1 + std::exp(-(offset + truth))))) add_answer(interest, 1);
    }
    sum += double{interest.mean()};
    squares += double{interest.mean()} * double{interest.mean()};
  }
  const double mean = sum / kPeople;
  const double error = std::sqrt((squares / kPeople - mean * mean) / kPeople);
  EXPECT_GT(mean, 0.6 * truth);  // drawn towards 0 by its prior, as it must be
  EXPECT_LT(mean, truth + 4 * error);
}

TEST(Profile, FoldsEvents) {
  Profile p;
  p.apply(event(Verb::kImpression, "a"), about("a", 7), 1);
  p.apply(event(Verb::kClick, "a"), about("a", 7), 2);
  p.apply(event(Verb::kSearch), {}, 3);
  EXPECT_EQ(p.position, 3u);
  ASSERT_EQ(p.counts.size(), 3u);
  EXPECT_EQ(p.shown.at(kNow, k1h), 1);
  EXPECT_EQ(p.answered.at(kNow, k1h), 1);
  ASSERT_EQ(p.interests.size(), 2u);
  ASSERT_EQ(p.touches.size(), 1u);
  EXPECT_EQ(p.touches[0].item, item_key("a"));
  ASSERT_EQ(p.seen.size(), 1u);
  EXPECT_TRUE(p.seen[0].is_answered);
}

TEST(Profile, OneAnswerPerItemShown) {
  Profile once, thrice;
  for (Profile* p : {&once, &thrice}) p->mark_shown(about("a", 7), 0.2F, true, kNow, 1);
  once.apply(event(Verb::kClick, "a"), about("a", 7), 2);
  thrice.apply(event(Verb::kClick, "a"), about("a", 7), 2);
  thrice.apply(event(Verb::kLike, "a"), about("a", 7), 3);
  thrice.apply(event(Verb::kPurchase, "a"), about("a", 7), 4);
  EXPECT_EQ(once.interest(7)->mean_q, thrice.interest(7)->mean_q);
  EXPECT_EQ(thrice.answered.at(kNow, k1h), 1);
  Profile hidden;
  hidden.apply(event(Verb::kHide, "a"), about("a", 7), 1);
  EXPECT_LT(hidden.interest(7)->mean(), -0.2F);
}

TEST(Profile, UnservedItemsCountWhenTheyAreSeen) {
  Profile waits, served;
  waits.mark_shown(about("a", 7), 0.2F, false, kNow, 1);
  EXPECT_EQ(waits.interest(7), nullptr);
  EXPECT_TRUE(waits.shown.empty());
  waits.apply(event(Verb::kImpression, "a"), about("a", 7), 2);
  served.mark_shown(about("a", 7), 0.2F, true, kNow, 1);
  EXPECT_NEAR(waits.interest(7)->mean(), served.interest(7)->mean(), 1e-3);
  waits.apply(event(Verb::kImpression, "a"), about("a", 7), 3);
  EXPECT_EQ(waits.seen.size(), 2u);  // the second impression is another one
  Profile clicked;
  clicked.mark_shown(about("a", 7), 0.2F, false, kNow, 1);
  clicked.apply(event(Verb::kClick, "a"), about("a", 7), 2);
  EXPECT_EQ(clicked.shown.at(kNow, k1h), 1);
}

TEST(Profile, ImpressionsDoNotPushOutPurchases) {
  Profile p;
  Position at = 0;
  p.apply(event(Verb::kPurchase, "bought"), about("bought", 1), ++at);
  for (int i = 0; i < 500; ++i) {
    const std::string id = "i" + std::to_string(i);
    p.apply(event(Verb::kImpression, id), about(id, 1), ++at);
    p.apply(event(Verb::kView, id, kNow + seconds(i)), about(id, 1), ++at);
  }
  EXPECT_EQ(p.touches.size(), 1 + kSequenceLength);
  std::vector<ItemKey> recent;
  recent_items(p, 30, recent);
  ASSERT_EQ(recent.size(), 1 + kSequenceLength);
  EXPECT_EQ(recent.front(), item_key("bought"));
  EXPECT_EQ(recent.back(), item_key("i499"));
  recent_items(p, 2, recent);
  EXPECT_EQ(recent, (std::vector<ItemKey>{item_key("i498"), item_key("i499")}));
}

TEST(Profile, DeniedPurposesKeepEventsOut) {
  const auto after = [](Purpose denied) {
    Profile p;
    p.denied_purposes = static_cast<std::uint8_t>(denied);
    auto e = event(Verb::kIdentify);
    e.traits = R"({"age":3})";
    p.apply(e, {}, 1);
    p.mark_shown(about("a", 7), 0.2F, true, kNow, 2);
    p.apply(event(Verb::kClick, "a"), about("a", 7), 3);
    EXPECT_EQ(p.position, 3u);
    return p;
  };
  const Profile personal = after(Purpose::kPersonalization);
  EXPECT_TRUE(personal.traits.empty());
  EXPECT_TRUE(personal.interests.empty());
  EXPECT_TRUE(personal.touches.empty());
  EXPECT_EQ(personal.counts.size(), 2u);
  EXPECT_EQ(personal.seen.size(), 1u);  // not to show it again is not personalization
  const Profile analytics = after(Purpose::kAnalytics);
  EXPECT_TRUE(analytics.counts.empty());
  EXPECT_EQ(analytics.interests.size(), 2u);
  const Profile storage = after(Purpose::kStorage);
  EXPECT_TRUE(storage.counts.empty());
  EXPECT_TRUE(storage.traits.empty());
}

TEST(Profile, LateEventEqualsOnTime) {
  Profile a, b;
  const auto x = event(Verb::kLike, "x", kNow), y = event(Verb::kLike, "y", kNow + seconds(5000));
  a.apply(x, about("x", 7), 1);
  a.apply(y, about("y", 7), 2);
  b.apply(y, about("y", 7), 1);
  b.apply(x, about("x", 7), 2);
  expect_near(a.counts[0].second, b.counts[0].second, kNow + seconds(9000));
  EXPECT_NEAR(a.interest(7)->mean(), b.interest(7)->mean(), 0.01);
  EXPECT_EQ(b.touches.back().item, item_key("x"));  // by arrival
}

TEST(Profile, ReplayIsIdempotent) {
  Profile p;
  p.apply(event(Verb::kClick, "a"), about("a", 3), 5);
  p.mark_shown(about("x", 3), 0.1F, true, kNow, 6);
  p.mark_shown(about("y", 4), 0.1F, true, kNow, 6);
  EXPECT_EQ(p.seen.size(), 2u);
  const auto before = bytes(p);
  p.apply(event(Verb::kClick, "a"), about("a", 3), 5);
  p.apply(event(Verb::kClick, "a"), about("a", 3), 6);
  p.mark_shown(about("x", 3), 0.1F, true, kNow, 6);
  p.mark_shown(about("y", 4), 0.1F, true, kNow, 6);
  p.mark_shown(about("z", 4), 0.1F, true, kNow, 4);
  EXPECT_EQ(bytes(p), before);
}

TEST(Profile, MergesTraits) {
  Profile p;
  auto e = event(Verb::kIdentify);
  e.traits = R"({"plan":"free","age":3,"address":{ "city" : "Rome" }})";
  p.apply(e, {}, 1);
  e.traits = "{\"plan\":\"pro\",\"long\":\"" + std::string(300, 'x') + "\"}";
  p.apply(e, {}, 2);
  e.traits = "[broken";
  p.apply(e, {}, 3);
  const Traits expected = {{"plan", "\"pro\""}, {"address", R"({"city":"Rome"})"}, {"age", "3"}};
  EXPECT_EQ(p.traits, expected);
  EXPECT_EQ(p.traits.find("plan"), "\"pro\"");
  EXPECT_EQ(p.traits.find("pla"), "");
  std::vector<std::string_view> names;
  for (const auto& [name, value] : p.traits) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string_view>{"address", "age", "plan"}));
  for (Position at = 4; at < 1000; ++at) {
    e.traits = "{\"t" + std::to_string(at) + "\":\"" + std::string(at % 200, 'y') + "\"}";
    p.apply(e, {}, at);
  }
  EXPECT_LE(p.traits.bytes().size(), kAllTraitsBytes);
  EXPECT_EQ(p.traits.find("plan"), "\"pro\"");
}

TEST(Profile, KeepsCapsAndForgetsTheLeastSure) {
  Profile p;
  Position at = 0;
  for (std::uint32_t i = 0; i < 100; ++i) {
    const std::string id = "i" + std::to_string(i);
    p.apply(event(Verb::kClick, id), about(id, 100 + i), ++at);
    if (i == 0) p.apply(event(Verb::kClick, "j"), about("j", 100), ++at);  // two clicks: stays
  }
  EXPECT_EQ(p.touches.size(), kSequenceLength);
  EXPECT_EQ(p.touches.back().item, item_key("i99"));
  EXPECT_EQ(p.interests.size(), kInterestCount + 1);
  EXPECT_NE(p.interest(100), nullptr);
  EXPECT_EQ(p.interest(101), nullptr);
  EXPECT_NE(p.interest(199), nullptr);
  for (std::uint64_t i = 1; i <= 600; ++i) {
    p.mark_shown({.key = ItemKey{i}}, 0.1F, true, kNow, ++at);
  }
  EXPECT_EQ(p.seen.size(), kSeenLength);
  EXPECT_EQ(p.seen.back().item, 600u);
}

TEST(Profile, IsBounded) {
  Profile p;
  Rng rng(9);
  Position at = 0;
  for (int i = 0; i < 40000; ++i) {
    auto e = event(static_cast<Verb>(rng.below(kVerbCount)), "i" + std::to_string(rng.next()),
                   kNow + seconds(rng.uniform() * 3e8));
    e.traits = "{\"t" + std::to_string(i) + "\":\"" + std::string(20, 'x') + "\"}";
    const auto topic = static_cast<std::uint32_t>(rng.next());
    p.apply(e, about(e, topic), ++at);
    p.mark_shown(about(e, topic), 0.3F, rng.chance(0.5), e.time, ++at);
  }
  EXPECT_LE(bytes(p).size(), kProfileBytes);
}

TEST(Profile, RoundTripsAndRefusesGarbage) {
  const auto good = bytes(sample(7));
  Profile decoded;
  ASSERT_TRUE(Profile::decode(good, decoded).ok());
  EXPECT_EQ(bytes(decoded), good);
  Profile out;
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(Profile::decode(std::string_view(good).substr(0, n), out).ok());
  }
  Rng rng(3);
  int passed = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    if (round % 2 == 0) bad.resize(rng.below(200));
    for (int i = 0; i < (round % 2 == 0 ? 200 : 3); ++i) {
      if (!bad.empty()) bad[rng.below(bad.size())] = static_cast<char>(rng.below(256));
    }
    if (!bad.empty()) bad[0] = good[0];
    if (!Profile::decode(bad, out).ok()) continue;
    ++passed;
    auto merged = merge({&out, &decoded});
    merged.apply(event(Verb::kClick, "a"), about("a", 12345), merged.position + 1);
    ASSERT_LE(merged.interests.size(), kInterestCount + 1);
    ASSERT_TRUE(Profile::decode(bytes(merged), out).ok());
  }
  EXPECT_GT(passed, 10);
}

TEST(Profile, ContinuingAfterDecodeEqualsNeverHavingStopped) {
  Rng rng(11);
  Profile whole, stopped;
  std::string stored;
  for (Position at = 1; at <= 3000; ++at) {
    const auto verb = static_cast<Verb>(rng.below(kVerbCount));
    const auto e = event(verb, "i" + std::to_string(rng.below(300)),
                         kNow + seconds(static_cast<double>(at) * 900 - rng.uniform() * 4000));
    const auto topic = static_cast<std::uint32_t>(rng.below(70));
    const bool is_shown = rng.chance(0.5), is_served = rng.chance(0.5);
    for (Profile* p : {&whole, &stopped}) {
      p->apply(e, about(e, topic), at);
      if (is_shown) p->mark_shown(about(e, topic + 1), 0.1F, is_served, e.time, at);
    }
    stored.clear();
    stopped.encode(stored);
    ASSERT_TRUE(Profile::decode(stored, stopped).ok());
    ASSERT_EQ(bytes(whole), stored);
  }
}

TEST(Profile, Merges) {
  Profile a, b;
  auto e = event(Verb::kIdentify);
  e.traits = R"({"x":1,"y":1})";
  a.apply(e, {}, 10);
  e.traits = R"({"y":2,"z":2})";
  b.apply(e, {}, 20);
  a.apply(event(Verb::kClick, "late", kNow + seconds(9)), about("late", 7), 30);
  b.apply(event(Verb::kClick, "early", kNow), about("early", 7), 21);
  b.denied_purposes = 2;
  a.denied_purposes = 1;
  const Profile m = merge({&a, &b}), n = merge({&b, &a});
  EXPECT_EQ(bytes(m), bytes(n));
  EXPECT_EQ(m.position, 30u);
  EXPECT_EQ(m.denied_purposes, 3);
  EXPECT_EQ(m.traits.size(), 3u);
  EXPECT_EQ(m.traits.find("y"), "1");  // a's position is the later
  ASSERT_EQ(m.touches.size(), 2u);
  EXPECT_EQ(m.touches[1].item, item_key("late"));
  EXPECT_GT(m.interest(7)->mean(), a.interest(7)->mean());
  EXPECT_LT(m.interest(7)->variance(), a.interest(7)->variance());
  const Profile x = sample(1), y = sample(2), big = merge({&x, &y});
  EXPECT_LE(big.interests.size(), kInterestCount + 1);
  Profile out;
  EXPECT_TRUE(Profile::decode(bytes(big), out).ok());
  EXPECT_EQ(bytes(merge({})), bytes(Profile()));
}

// Seven events of one visitor: sign-up with four short traits, then three views, two clicks and a
// purchase over two weeks.
Profile visitor() {
  Profile p;
  auto e = event(Verb::kIdentify);
  e.traits = R"({"age":"25-34","gender":"female","place":"north","plan":"pro"})";
  p.apply(e, {}, 1'000'000);
  const Verb verbs[] = {Verb::kView, Verb::kView,  Verb::kClick,
                        Verb::kView, Verb::kClick, Verb::kPurchase};
  for (std::uint32_t i = 0; i < 6; ++i) {
    const std::string id = "i" + std::to_string(i);
    p.apply(event(verbs[i], id, kNow + seconds(200'000.0 * i)), about(id, 0x9000'0000U + i % 4),
            1'000'001 + i * 977);
  }
  return p;
}

TEST(Profile, SevenEventsAreSmallAndQuick) {
  Profile p = visitor();
  std::string stored = bytes(p);
  EXPECT_LE(stored.size(), 250u);
  RecordProperty("bytes", static_cast<int>(stored.size()));
  const auto e = event(Verb::kClick, "i7", kNow + seconds(1'300'000));
  const ItemView view = about("i7", 0x9000'0001U);
  const std::string original = stored;
  constexpr int kRounds = 200'000;
  const std::clock_t begin = std::clock();
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_TRUE(Profile::decode(original, p).ok());
    p.apply(e, view, p.position + 1);
    stored.clear();
    p.encode(stored);
  }
  const double ns = 1e9 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC / kRounds;
  RecordProperty("ns_per_event", static_cast<int>(ns));
  std::printf("%zu bytes; decode, apply, encode: %.0f ns\n", original.size(), ns);
  EXPECT_GT(stored.size(), original.size());
}

}  // namespace
}  // namespace attune
