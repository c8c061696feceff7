#include "learn/learner.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/rng.h"
#include "model/sealed.h"

namespace attune {
namespace {

constexpr Surrogate kAda{11}, kBob{22};

Time at_s(double s) { return time_from_us(1'800'000'000'000'000) + seconds(s); }

Decision decision(const std::string& id, double s, std::vector<std::string> items) {
  Decision d;
  d.id = id;
  d.time = at_s(s);
  d.outcome_window_s = 100;
  for (auto& item : items) {
    ShownItem shown;
    shown.parts = {{"bias", 1, 1, 0}, {"item", static_cast<std::uint32_t>(hash64(item)), 1, 0}};
    shown.item_id = std::move(item);
    d.shown.push_back(std::move(shown));
  }
  return d;
}

Event event(Verb verb, const std::string& item, double s, const std::string& decision_id = "") {
  Event e;
  e.verb = verb;
  e.item_id = item;
  e.time = at_s(s);
  e.decision_id = decision_id;
  return e;
}

std::string bytes_of(const Learner& learner) {
  std::string out;
  learner.encode(out);
  return out;
}

void feed(Learner& learner, const Event& e, Surrogate who) {
  const Surrogate person[] = {who};
  learner.on_event(e, person);
}

Learner small(std::size_t max_pending_bytes = 1 << 20) {
  FtrlOptions options;
  options.bits = 10;
  return Learner(options, max_pending_bytes);
}

TEST(Learner, ClickAtOnceRestWhenTheWindowEnds) {
  Learner l = small();
  l.on_decision(decision("d1", 0, {"a", "b"}), kAda, 1);
  EXPECT_EQ(l.policy(Policy::kLearned).impressions, 2u);
  feed(l, event(Verb::kView, "a", 5, "d1"), kAda);
  EXPECT_EQ(l.updates(), 0u);
  feed(l, event(Verb::kClick, "a", 10, "d1"), kAda);
  feed(l, event(Verb::kPurchase, "a", 11, "d1"), kAda);  // once per shown item
  EXPECT_EQ(l.updates(), 1u);
  l.on_tick(at_s(100));  // a click at 100 would still count
  EXPECT_EQ(l.updates(), 1u);
  l.on_tick(at_s(101));
  EXPECT_EQ(l.updates(), 2u);
  EXPECT_EQ(l.pending(), 0u);
  EXPECT_EQ(l.policy(Policy::kLearned).clicks, 1u);
  EXPECT_EQ(l.progressive().positives(), 1u);
  EXPECT_GT(l.model().weight(static_cast<std::uint32_t>(hash64("a"))), 0);
  EXPECT_LT(l.model().weight(static_cast<std::uint32_t>(hash64("b"))), 0);
}

TEST(Learner, ClicksOutsideTheWindowOrOfOthersTeachNothing) {
  Learner l = small();
  l.on_decision(decision("d1", 0, {"a"}), kAda, 1);
  feed(l, event(Verb::kClick, "a", 101, "d1"), kAda);
  feed(l, event(Verb::kClick, "a", 101), kAda);
  feed(l, event(Verb::kClick, "a", -1), kAda);
  feed(l, event(Verb::kClick, "z", 5, "d1"), kAda);
  feed(l, event(Verb::kClick, "a", 5, "unknown"), kAda);
  feed(l, event(Verb::kClick, "a", 5), kBob);
  EXPECT_EQ(l.updates(), 0u);
}

TEST(Learner, WithoutIdTheLatestDecisionOfThePersonIsMeant) {
  Learner l = small();
  const Decision older = decision("d1", 0, {"a"});
  Decision newer = decision("d2", 10, {"a"});
  newer.policy = Policy::kControl;
  l.on_decision(older, kAda, 1);
  l.on_decision(newer, kBob, 2);
  const Surrogate both[] = {kBob, kAda};
  l.on_event(event(Verb::kLike, "a", 20), both);
  EXPECT_EQ(l.policy(Policy::kControl).clicks, 1u);
  l.on_event(event(Verb::kLike, "a", 5), both);  // before the newer one
  EXPECT_EQ(l.policy(Policy::kLearned).clicks, 1u);
  l.on_decision(newer, kBob, 3);  // again: ignored
  EXPECT_EQ(l.pending(), 2u);
}

TEST(Learner, UnservedImpressionsWaitForTheirEvent) {
  Learner l = small();
  Decision d = decision("d1", 0, {"a", "b", "c"});
  d.is_impression_served = false;
  l.on_decision(d, kAda, 1);
  EXPECT_EQ(l.policy(Policy::kLearned).impressions, 0u);
  feed(l, event(Verb::kImpression, "a", 1, "d1"), kAda);
  feed(l, event(Verb::kImpression, "a", 2), kAda);
  feed(l, event(Verb::kClick, "b", 3, "d1"), kAda);  // a click was seen, too
  EXPECT_EQ(l.policy(Policy::kLearned).impressions, 2u);
  l.on_tick(at_s(200));
  EXPECT_EQ(l.updates(), 2u);  // c was never seen
}

TEST(Learner, ForgetsOnlyThatIdentity) {
  Learner l = small();
  for (Position i = 1; i <= 6; ++i) {
    l.on_decision(decision("d" + std::to_string(i), 0, {"a"}), i % 2 == 0 ? kAda : kBob, i);
  }
  l.forget(kAda);
  EXPECT_EQ(l.pending(), 3u);
  feed(l, event(Verb::kClick, "a", 3, "d2"), kAda);
  feed(l, event(Verb::kClick, "a", 3), kAda);
  EXPECT_EQ(l.updates(), 0u);
  feed(l, event(Verb::kClick, "a", 3), kBob);  // the latest, d5
  l.on_tick(at_s(500));
  EXPECT_EQ(l.updates(), 3u);
  EXPECT_EQ(l.progressive().positives(), 1u);
  EXPECT_EQ(l.pending(), 0u);
}

TEST(Learner, BeyondTheLimitWindowsEndEarlyAndAreLearnedStill) {
  Learner l = small(700);  // two decisions of one item
  Decision longest = decision("d1", 0, {"a"});
  longest.outcome_window_s = 1000;
  l.on_decision(longest, kAda, 1);
  l.on_decision(decision("d2", 1, {"a"}), kBob, 2);
  EXPECT_EQ(l.closed_early(), 0u);
  l.on_decision(decision("d3", 2, {"a"}), kAda, 3);
  EXPECT_EQ(l.closed_early(), 1u);  // d2: it would have ended first
  EXPECT_EQ(l.pending(), 2u);
  EXPECT_EQ(l.updates(), 1u);
  EXPECT_EQ(l.progressive().positives(), 0u);
  feed(l, event(Verb::kClick, "a", 3, "d2"), kBob);  // too late
  EXPECT_EQ(l.updates(), 1u);
  feed(l, event(Verb::kClick, "a", 3, "d1"), kAda);
  EXPECT_EQ(l.updates(), 2u);
}

TEST(Learner, PendingBytesStayBelowTheLimit) {
  constexpr std::size_t kLimit = 1 << 20;
  Learner l = small(kLimit);
  Rng rng(3);
  for (Position i = 1; i <= 3000; ++i) {
    Decision d = decision("d" + std::to_string(i), static_cast<double>(i) / 1000, {"a", "b", "c"});
    for (ShownItem& shown : d.shown) {
      for (std::uint32_t f = 0; f < 50; ++f) {
        shown.parts.push_back(
            {"", static_cast<std::uint32_t>(rng.next()), f < 45 ? 1.0F : 0.5F, 0});
      }
    }
    l.on_decision(d, Surrogate{1 + rng.below(100)}, i);
  }
  EXPECT_GT(l.closed_early(), 1000u);
  EXPECT_GT(l.pending(), 500u);
  EXPECT_LT(l.pending_bytes(), kLimit * 5 / 4);  // tables grow by doubling
  EXPECT_EQ(l.updates(), 3 * l.closed_early());
}

TEST(PackedRows, HoldTheRowsAndRefuseDamage) {
  Decision d = decision("d", 0, {"a", "b"});
  for (std::uint32_t f = 0; f < 20; ++f) {
    d.shown[1].parts.push_back({"", f * 77, f % 3 == 0 ? 0.25F : 1.0F, 0});
  }
  d.shown[1].parts.push_back({"", 1, 2e6F, 0});  // no model takes it
  const PackedRows rows = PackedRows::of(d.shown);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows.find(item_key("b")), 1u);
  EXPECT_FALSE(rows.find(item_key("c")));
  const std::vector<Feature> row = rows.row(1);
  ASSERT_EQ(row.size(), 22u);
  for (std::size_t i = 0; i < row.size(); ++i) {
    EXPECT_EQ(row[i].hash, d.shown[1].parts[i].hash);
    EXPECT_EQ(row[i].value, d.shown[1].parts[i].value);
  }
  ASSERT_TRUE(PackedRows::from(rows.bytes()));
  EXPECT_EQ(PackedRows::from(rows.bytes())->bytes(), rows.bytes());
  for (std::size_t i = 0; i < rows.bytes().size(); ++i) {
    EXPECT_FALSE(PackedRows::from(rows.bytes().substr(0, i)));
  }
  EXPECT_EQ(PackedRows().size(), 0u);
}

// One step of a made-up journal, the same for every learner it is given.
void step(Learner& l, Position i) {
  Rng rng(i * 7919);
  const double s = static_cast<double>(i);
  const Surrogate who{1 + rng.below(5)};
  const std::string item = "i" + std::to_string(rng.below(6));
  const std::uint64_t kind = rng.below(10);
  if (kind < 4) {
    Decision d = decision("d" + std::to_string(i), s, {item, "x", "y"});
    d.policy = static_cast<Policy>(rng.below(4));
    d.is_impression_served = rng.chance(0.7);
    d.outcome_window_s = rng.chance(0.5) ? 20 : 60;
    l.on_decision(d, who, i);
  } else if (kind < 9) {
    const Verb verb = rng.chance(0.3) ? Verb::kImpression : Verb::kClick;
    feed(l, event(verb, rng.chance(0.5) ? item : "x", s), who);
  } else {
    l.on_tick(at_s(s));
    if (rng.chance(0.1)) l.forget(who);
  }
}

TEST(Learner, ContinuingAfterDecodeEqualsNeverHavingStopped) {
  Learner whole = small(10'000), stopped = small(10'000);
  for (Position i = 1; i <= 2000; ++i) {
    step(whole, i);
    step(stopped, i);
    if (i % 333 != 0) continue;
    auto back = Learner::decode(bytes_of(stopped));
    ASSERT_TRUE(back.ok()) << back.error().message;
    stopped = std::move(back).value();
    ASSERT_EQ(bytes_of(whole), bytes_of(stopped));
  }
  EXPECT_EQ(bytes_of(whole), bytes_of(stopped));
  EXPECT_GT(whole.updates(), 100u);
  EXPECT_GT(whole.progressive().positives(), 10u);
  EXPECT_GT(whole.closed_early(), 10u);
}

TEST(Learner, WhatWaitsIsStoredSealedAndGoneWithItsKey) {
  Learner l = small();
  for (Position i = 1; i <= 300; ++i) step(l, i);
  l.on_decision(decision("ada-waits", 301, {"ada-item"}), kAda, 301);
  l.on_decision(decision("bob-waits", 302, {"bob-item"}), kBob, 302);
  const auto seal = [](Surrogate who, std::string_view row) {
    std::string out(row);
    for (char& c : out) c = static_cast<char>(c ^ static_cast<char>(raw(who) * 37 + 1));
    return out;
  };
  std::string stored;
  l.encode(stored, seal);
  std::string feature;  // as a row that is not sealed holds it
  Writer(feature).u32(static_cast<std::uint32_t>(hash64("ada-item")));
  EXPECT_NE(bytes_of(l).find(feature), std::string::npos);
  EXPECT_EQ(stored.find(feature), std::string::npos);
  const auto open_with = [&](bool has_adas_key) {
    return [&seal, has_adas_key](Surrogate who, std::string_view row) {
      const bool is_gone = who == kAda && !has_adas_key;
      return is_gone ? std::nullopt : std::optional<std::string>(seal(who, row));
    };
  };
  const auto whole = Learner::decode(stored, open_with(true));
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_EQ(bytes_of(*whole), bytes_of(l));
  const auto without = Learner::decode(stored, open_with(false));
  ASSERT_TRUE(without.ok());
  l.forget(kAda);
  EXPECT_EQ(bytes_of(*without), bytes_of(l));
}

TEST(Learner, RefusesDamage) {
  Learner l = small();
  for (Position i = 1; i <= 100; ++i) step(l, i);
  const std::string bytes = bytes_of(l);
  for (std::size_t i = 0; i < bytes.size(); i += 13) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(Learner::decode(damaged).ok());
    EXPECT_FALSE(Learner::decode(std::string_view(bytes).substr(0, i)).ok());
  }
}

// A taste that turns faster than the learner follows: the watch tells. What is stored is complete.
TEST(Learner, TellsWhenItsPredictionsGetWorse) {
  Learner l = small();
  l.watch_drift(true);
  Rng rng(5);
  for (int i = 0; i < 12'000; ++i) {
    const double s = i;
    const std::string id = "d" + std::to_string(i);
    l.on_decision(decision(id, s, {"a"}), kAda, static_cast<Position>(i + 1));
    if (rng.chance(i < 8000 || i / 100 % 2 == 0 ? 0.05 : 0.8))
      feed(l, event(Verb::kClick, "a", s + 1, id), kAda);
    l.on_tick(at_s(s));
  }
  EXPECT_GE(l.drift().alarms(), 1u);
  const auto back = Learner::decode(bytes_of(l));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(bytes_of(*back), bytes_of(l));
  EXPECT_EQ(back->drift().alarms(), l.drift().alarms());
  l.watch_drift(false);
  EXPECT_EQ(l.drift().rows(), 0u);
}

// Version 3 knows of no provisional negatives, version 2 of no drift either.
TEST(Learner, ReadsWhatWasStoredBefore) {
  Learner l = small();
  l.on_decision(decision("d1", 0, {"a", "b"}), kAda, 1);
  feed(l, event(Verb::kClick, "a", 5), kAda);
  l.on_tick(at_s(500));
  const std::string bytes = bytes_of(l);
  std::string drift, three, two;
  l.drift().encode(drift);
  std::string_view body = unseal("ALRN", 4, bytes).value();
  body.remove_suffix(16);  // of late answers
  seal("ALRN", 3, body, three);
  seal("ALRN", 2, body.substr(0, body.size() - drift.size() - 2), two);  // is_watched, its length
  for (const std::string& old : {three, two}) {
    const auto back = Learner::decode(old);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_FALSE(back->is_watched());
    EXPECT_EQ(bytes_of(*back), bytes);
  }
}

}  // namespace
}  // namespace attune
