#include "learn/verb_join.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/hash.h"
#include "base/rng.h"
#include "profile/profile.h"

namespace attune {
namespace {

constexpr Surrogate kAda{11}, kBob{22};
constexpr double kWindow = 100;

Time at_s(double s) { return time_from_us(1'800'000'000'000'000) + seconds(s); }

std::uint32_t hash_of(const std::string& item) { return static_cast<std::uint32_t>(hash64(item)); }

Waiting decision(const std::string& id, double s, const std::vector<std::string>& items,
                 bool is_served = true) {
  Decision d;
  d.id = id;
  d.time = at_s(s);
  d.outcome_window_s = kWindow;
  d.is_impression_served = is_served;
  for (const std::string& item : items) {
    ShownItem shown;
    shown.item_id = item;
    shown.parts = {{"item", hash_of(item), 1, 0}};
    d.shown.push_back(std::move(shown));
  }
  return Waiting::of(d);
}

void note(VerbJoin& join, Verb verb, const std::string& item, double s,
          const std::string& decision_id = "", Surrogate who = kAda) {
  const Surrogate person[] = {who};
  join.note({verb, item_key(item), at_s(s), decision_id.empty() ? 0 : hash64(decision_id)}, person);
}

VerbSet set_of(const std::vector<Verb>& verbs) {
  VerbSet out;
  for (const Verb verb : verbs) out.set(static_cast<std::size_t>(verb));
  return out;
}

// What came of the items, but for their impressions.
std::vector<VerbSet> happened(const std::vector<VerbRow>& rows) {
  std::vector<VerbSet> out;
  for (const VerbRow& row : rows) out.push_back(row.happened & ~set_of({Verb::kImpression}));
  return out;
}

using Sets = std::vector<VerbSet>;

TEST(VerbJoin, APurchaseAfterTheClickCountsAndNothingIsSaidBeforeTheWindowEnds) {
  VerbJoin join(1 << 20);
  join.add(decision("d", 0, {"a", "b", "c"}), kAda, 1);
  note(join, Verb::kClick, "a", 5, "d");
  EXPECT_TRUE(join.close(at_s(50)).empty());
  note(join, Verb::kPurchase, "a", 99, "d");
  note(join, Verb::kHide, "b", 10, "d");
  EXPECT_TRUE(join.close(at_s(kWindow)).empty());  // an event at its very end still counts
  EXPECT_EQ(join.open_items(), 3u);
  const auto rows = join.close(at_s(kWindow + 1));
  EXPECT_EQ(happened(rows),
            (Sets{set_of({Verb::kClick, Verb::kPurchase}), set_of({Verb::kHide}), VerbSet()}));
  ASSERT_EQ(rows[1].row.size(), 1u);
  EXPECT_EQ(rows[1].row[0].hash, hash_of("b"));
  EXPECT_EQ(join.open_items(), 0u);
  EXPECT_TRUE(join.close(at_s(1000)).empty());
}

TEST(VerbJoin, OrderAndRepetitionChangeNothing) {
  VerbJoin join(1 << 20);
  join.add(decision("d", 0, {"a"}), kAda, 1);
  note(join, Verb::kPurchase, "a", 50, "d");
  note(join, Verb::kClick, "a", 40, "d");
  note(join, Verb::kClick, "a", 40, "d");
  note(join, Verb::kPurchase, "a", 60, "d");
  EXPECT_EQ(happened(join.close(at_s(200))), (Sets{set_of({Verb::kClick, Verb::kPurchase})}));
}

TEST(VerbJoin, AnEventOutsideTheWindowIsNone) {
  VerbJoin join(1 << 20);
  join.add(decision("d", 10, {"a", "b", "c"}), kAda, 1);
  note(join, Verb::kPurchase, "a", 10 + kWindow + 1, "d");
  note(join, Verb::kClick, "b", 5);       // before it was shown, and names nothing
  note(join, Verb::kClick, "c", 5, "d");  // a client's clock may run behind
  EXPECT_EQ(happened(join.close(at_s(200))), (Sets{VerbSet(), VerbSet(), set_of({Verb::kClick})}));
  note(join, Verb::kPurchase, "a", 20, "d");  // it is closed
  EXPECT_TRUE(join.close(at_s(1000)).empty());
}

TEST(VerbJoin, WithoutItsDecisionAnEventIsOfTheLatestThatShowsTheItem) {
  VerbJoin join(1 << 20);
  join.add(decision("d1", 0, {"a", "b"}), kAda, 1);
  join.add(decision("d2", 10, {"a"}), kAda, 2);
  join.add(decision("d3", 20, {"a", "b"}), kBob, 3);
  note(join, Verb::kLike, "a", 30);
  note(join, Verb::kLike, "b", 30);
  note(join, Verb::kShare, "a", 31, "d1");
  note(join, Verb::kShare, "b", 31, "d2");  // which did not show it
  note(join, Verb::kShare, "a", 31, "d9");
  EXPECT_EQ(happened(join.close(at_s(500))), (Sets{set_of({Verb::kShare}), set_of({Verb::kLike}),
                                                   set_of({Verb::kLike}), VerbSet(), VerbSet()}));
}

TEST(VerbJoin, WhatWasNotSeenIsNoRow) {
  VerbJoin join(1 << 20);
  join.add(decision("d", 0, {"a", "b", "c", "d", "e"}, false), kAda, 1);
  note(join, Verb::kImpression, "a", 1, "d");
  note(join, Verb::kReport, "b", 2, "d");
  note(join, Verb::kPurchase, "c", 3, "d");
  note(join, Verb::kView, "d", 4, "d");  // its page may have been opened from elsewhere
  note(join, Verb::kSearch, "e", 5, "d");
  EXPECT_EQ(join.open_items(), 3u);
  EXPECT_EQ(happened(join.close(at_s(500))),
            (Sets{VerbSet(), set_of({Verb::kReport}), set_of({Verb::kPurchase})}));
}

TEST(VerbJoin, ADecisionOfTheSameIdIsIgnored) {
  VerbJoin join(1 << 20);
  join.add(decision("d", 0, {"a"}), kAda, 1);
  join.add(decision("d", 1, {"a", "b"}), kBob, 2);
  join.add(decision("empty", 1, {}), kBob, 3);
  EXPECT_EQ(join.close(at_s(500)).size(), 1u);
}

TEST(VerbJoin, WhatIsErasedTeachesNothing) {
  VerbJoin join(1 << 20);
  join.add(decision("d1", 0, {"a"}), kAda, 1);
  join.add(decision("d2", 0, {"b"}), kBob, 2);
  join.add(decision("d3", 1, {"a", "c"}), kAda, 3);
  join.forget(kAda);
  join.forget(kAda);
  const auto rows = join.close(at_s(500));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].row[0].hash, hash_of("b"));
}

// One in so many persons is followed then, with whole windows: rates stay what they are.
TEST(VerbJoin, BeyondItsMemoryItFollowsFewerPersons) {
  constexpr std::size_t kRoom = 200'000;
  VerbJoin join(kRoom);
  Rng rng(1);
  std::size_t rows = 0, purchases = 0;
  for (Position at = 1; at <= 20'000; ++at) {
    const Surrogate who{1 + rng.below(5000)};
    const double now = static_cast<double>(at) * 0.02;
    const std::string id = "d" + std::to_string(at);
    join.add(decision(id, now, {"a", "b"}), who, at);
    for (const char* item : {"a", "b"}) {
      if (rng.chance(0.2)) note(join, Verb::kPurchase, item, now + 90, id, who);
    }
    for (const VerbRow& row : join.close(at_s(now))) {
      ++rows;
      purchases += row.happened[static_cast<std::size_t>(Verb::kPurchase)] ? 1 : 0;
    }
  }
  EXPECT_GE(join.one_in(), 8u);
  EXPECT_LE(join.one_in(), 64u);
  EXPECT_GT(rows, 500u);
  const double n = static_cast<double>(rows);
  EXPECT_NEAR(static_cast<double>(purchases) / n, 0.2, 4 * std::sqrt(0.16 / n));
}

// Beside a plain list of all decisions and events, searched through for every item.
TEST(VerbJoin, IsWhatSearchingThroughEverythingFinds) {
  struct Shown {
    Waiting waiting;
    std::string id;
    Surrogate who{};
    std::vector<std::string> items;
    double s = 0;
  };
  for (const std::uint64_t seed : {1, 2, 3}) {
    Rng rng(seed);
    VerbJoin join(1 << 24);
    std::vector<Shown> all;
    std::map<std::pair<std::size_t, std::string>, VerbSet> expected;  // by place in all, item
    std::vector<VerbRow> rows;
    double now = 0;
    for (int step = 0; step < 3000; ++step) {
      now += rng.uniform() * 10;
      const Surrogate who{1 + rng.below(5)};
      if (rng.chance(0.4)) {
        std::vector<std::string> items;
        for (int i = 0; i < 6; ++i) {
          if (rng.chance(0.5)) items.push_back("i" + std::to_string(i));
        }
        const std::string id = "d" + std::to_string(step);
        all.push_back({decision(id, now, items), id, who, items, now});
        join.add(all.back().waiting, who, static_cast<Position>(step + 1));
      } else if (!all.empty()) {
        constexpr Verb kSome[] = {Verb::kClick, Verb::kPurchase, Verb::kHide, Verb::kView};
        const Verb verb = kSome[rng.below(4)];
        const std::string item = "i" + std::to_string(rng.below(6));
        const bool is_named = rng.chance(0.5);
        const std::size_t named = all.size() - 1 - rng.below(std::min<std::size_t>(all.size(), 9));
        note(join, verb, item, now, is_named ? all[named].id : "", who);
        for (std::size_t i = all.size(); i-- > 0;) {
          const Shown& one = all[i];
          const bool has_it =
              std::find(one.items.begin(), one.items.end(), item) != one.items.end();
          const bool is_it = is_named ? i == named : one.who == who;
          if (!is_it || !has_it || now > one.s + kWindow) continue;
          expected[{i, item}].set(static_cast<std::size_t>(verb));
          break;
        }
      }
      if (rng.chance(0.3)) {
        for (VerbRow& row : join.close(at_s(now))) rows.push_back(std::move(row));
      }
    }
    for (VerbRow& row : join.close(at_s(now + 1000))) rows.push_back(std::move(row));
    Sets sets;
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (const std::string& item : all[i].items) sets.push_back(expected[{i, item}]);
    }
    EXPECT_EQ(happened(rows), sets) << "seed " << seed;
    EXPECT_GT(expected.size(), 500u);
  }
}

}  // namespace
}  // namespace attune
