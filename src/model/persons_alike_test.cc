#include "model/persons_alike.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/rng.h"

namespace attune {
namespace {

ItemKey item(std::uint64_t n) { return ItemKey{mix64(n, 1)}; }
Surrogate person(std::uint64_t n) { return Surrogate{mix64(n, 2)}; }

std::string bytes_of(const PersonsAlike& model, const SealRow& seal_row = nullptr) {
  std::string out;
  model.encode(out, seal_row);
  return out;
}

// The same without an index, in the order of the definition.
class PlainTwin {
 public:
  explicit PlainTwin(const PersonsAlikeOptions& options) : options_(options) {}
  void learn(Surrogate who, ItemKey what) {
    const auto held = std::find_if(persons_.begin(), persons_.end(),
                                   [&](const auto& one) { return one.first == who; });
    std::deque<ItemKey> items;
    if (held != persons_.end()) {
      items = held->second;
      persons_.erase(held);
    } else if (persons_.size() == options_.persons) {
      for (std::size_t i = 0; i < std::max<std::size_t>(1, options_.persons / 8); ++i) {
        forget(persons_.front().first);
      }
    }
    std::erase(items, what);
    std::erase(takers_[what], who);
    if (items.size() == options_.items) {
      std::erase(takers_[items.front()], who);
      items.pop_front();
    }
    items.push_back(what);
    takers_[what].push_back(who);
    if (takers_[what].size() > options_.takers) takers_[what].pop_front();
    persons_.emplace_back(who, items);
  }
  void forget(Surrogate who) {
    std::erase_if(persons_, [&](const auto& one) { return one.first == who; });
    for (auto& [what, takers] : takers_) std::erase(takers, who);
  }
  double holders(ItemKey what) const {
    return static_cast<double>(
        std::count_if(persons_.begin(), persons_.end(), [&](const auto& one) {
          return std::find(one.second.begin(), one.second.end(), what) != one.second.end();
        }));
  }
  std::map<ItemKey, double> score(std::span<const ItemKey> recent, Surrogate own) const {
    std::vector<std::pair<double, std::size_t>> alike;  // negative; the newest comes first
    for (std::size_t i = 0; i < persons_.size(); ++i) {
      const auto& [who, items] = persons_[persons_.size() - 1 - i];
      double sum = 0;
      for (const ItemKey what : recent) {
        const auto takers = takers_.find(what);
        if (takers == takers_.end()) continue;
        const auto& all = takers->second;
        if (std::find(all.begin(), all.end(), who) != all.end())
          sum += 1 / std::sqrt(holders(what));
      }
      if (sum > 0 && who != own) {
        alike.emplace_back(-sum / std::sqrt(static_cast<double>(items.size())), i);
      }
    }
    std::stable_sort(alike.begin(), alike.end(),
                     [](auto& a, auto& b) { return a.first < b.first - 1e-6; });
    alike.resize(std::min(alike.size(), options_.neighbours));
    std::map<ItemKey, double> scores;
    for (const auto& [likeness, i] : alike) {
      for (const ItemKey what : persons_[persons_.size() - 1 - i].second) {
        if (std::find(recent.begin(), recent.end(), what) == recent.end()) {
          scores[what] -= likeness * std::pow(holders(what), -0.2);
        }
      }
    }
    return scores;
  }

 private:
  PersonsAlikeOptions options_;
  std::deque<std::pair<Surrogate, std::deque<ItemKey>>> persons_;  // who took last is last
  std::map<ItemKey, std::deque<Surrogate>> takers_;
};

constexpr PersonsAlikeOptions kFew{.persons = 16, .items = 5, .takers = 4, .neighbours = 100};

TEST(PersonsAlike, ScoresByHand) {
  PersonsAlike model;
  // a: 1 2 3; b: 1 4; c: 5.
  for (const auto& [who, what] :
       std::vector<std::pair<int, int>>{{1, 1}, {1, 2}, {1, 3}, {2, 1}, {2, 4}, {3, 5}}) {
    model.learn(person(who), item(what));
  }
  const std::vector<ItemKey> recent = {item(1)};
  const auto scores = model.score(recent, {}, 10);
  ASSERT_EQ(scores.size(), 3U);  // 1 is known, of 5 nobody alike took it
  EXPECT_EQ(scores[0].item, item(4));
  EXPECT_NEAR(scores[0].count, 1 / std::sqrt(2.0) / std::sqrt(2.0), 1e-6);
  EXPECT_NEAR(scores[1].count, 1 / std::sqrt(2.0) / std::sqrt(3.0), 1e-6);
  EXPECT_EQ(model.score(recent, {}, 1).size(), 1U);
  const std::vector<Surrogate> own = {person(2)};
  for (const Neighbour& one : model.score(recent, own, 10)) EXPECT_NE(one.item, item(4));
  EXPECT_TRUE(model.score({}, {}, 10).empty());
}

TEST(PersonsAlike, OfPersonsEquallyAlikeWhoTookLastCounts) {
  PersonsAlike model({.neighbours = 1});
  for (const int who : {1, 2, 3}) model.learn(person(who), item(9));
  for (const int who : {2, 3, 1}) model.learn(person(who), item(who));
  const std::vector<ItemKey> recent = {item(9)};
  ASSERT_EQ(model.score(recent, {}, 10).size(), 1U);
  EXPECT_EQ(model.score(recent, {}, 10)[0].item, item(1));
  model.learn(person(3), item(9));
  EXPECT_EQ(model.score(recent, {}, 10)[0].item, item(3));
}

TEST(PersonsAlike, IsItsPlainTwinWithinItsBounds) {
  PersonsAlike model(kFew);
  PlainTwin twin(kFew);
  Rng rng(3);
  for (int step = 0; step < 4000; ++step) {
    const Surrogate who = person(rng.below(40));
    if (rng.chance(0.03)) {
      (void)model.forget(who);
      twin.forget(who);
    } else {
      const ItemKey what = item(rng.below(12));
      model.learn(who, what);
      twin.learn(who, what);
    }
    if (step % 20 != 0) continue;
    const std::uint64_t first = rng.below(12);
    const std::vector<ItemKey> recent = {item(first), item((first + 1 + rng.below(11)) % 12)};
    const std::vector<Surrogate> own = {person(rng.below(40))};
    auto expected = twin.score(recent, own[0]);
    const auto scores = model.score(recent, own, 100);
    ASSERT_EQ(scores.size(), expected.size()) << step;
    for (const Neighbour& one : scores) ASSERT_NEAR(one.count, expected[one.item], 1e-5) << step;
    ASSERT_LE(model.persons(), kFew.persons);
  }
}

TEST(PersonsAlike, GoesOnAfterSavingAsIfItHadNot) {
  PersonsAlike model(kFew);
  Rng rng(4);
  const auto learn_some = [&](PersonsAlike& one, std::uint64_t seed) {
    Rng own(seed);
    for (int i = 0; i < 300; ++i) one.learn(person(own.below(30)), item(own.below(9)));
  };
  for (std::uint64_t round = 0; round < 10; ++round) {
    learn_some(model, round);
    (void)model.forget(person(rng.below(30)));
    auto again = PersonsAlike::decode(bytes_of(model), nullptr, kFew);
    ASSERT_TRUE(again.ok()) << again.error().message;
    ASSERT_EQ(bytes_of(*again), bytes_of(model));
    PersonsAlike copy = model;
    learn_some(copy, 100 + round);
    learn_some(*again, 100 + round);
    ASSERT_EQ(bytes_of(*again), bytes_of(copy));
    ASSERT_NE(bytes_of(copy), bytes_of(model));  // what was copied is as it was
  }
}

TEST(PersonsAlike, NothingOfTheForgottenIsLeft) {
  PersonsAlike model, other;
  for (std::uint64_t i = 0; i < 100; ++i) {
    model.learn(person(i % 7), item(i % 11));
    if (i % 7 != 3) other.learn(person(i % 7), item(i % 11));
  }
  EXPECT_TRUE(model.forget(person(3)));
  EXPECT_EQ(bytes_of(model), bytes_of(other));
  std::string surrogate;
  Writer(surrogate).u64(raw(person(3)));
  EXPECT_EQ(bytes_of(model).find(surrogate), std::string::npos);
  EXPECT_FALSE(model.forget(person(3)));
  EXPECT_FALSE(model.forget(person(99)));
  EXPECT_EQ(bytes_of(model), bytes_of(other));
}

TEST(PersonsAlike, OfAPersonOnlyTheSurrogateIsOutsideTheSeal) {
  PersonsAlike model;
  model.learn(person(1), item(1));
  model.learn(person(2), item(2));
  const auto turn = [](std::string_view row) {
    std::string out(row);
    for (char& c : out) c = static_cast<char>(~c);
    return out;
  };
  const std::string sealed =
      bytes_of(model, [&](Surrogate, std::string_view row) { return turn(row); });
  std::string key;
  Writer(key).u64(raw(item(1)));
  EXPECT_NE(bytes_of(model).find(key), std::string::npos);
  EXPECT_EQ(sealed.find(key), std::string::npos);
  const OpenRow open = [&](Surrogate who, std::string_view row) -> std::optional<std::string> {
    if (who == person(1)) return std::nullopt;  // the key is gone
    return turn(row);
  };
  const auto back = PersonsAlike::decode(sealed, open);
  ASSERT_TRUE(back.ok());
  PersonsAlike other;
  other.learn(person(2), item(2));
  EXPECT_EQ(bytes_of(*back), bytes_of(other));
}

TEST(PersonsAlike, BytesThatMakeNoSenseAreRefused) {
  PersonsAlike model(kFew);
  for (std::uint64_t i = 0; i < 50; ++i) model.learn(person(i % 9), item(i % 5));
  const std::string good = bytes_of(model);
  EXPECT_FALSE(PersonsAlike::decode(good.substr(0, good.size() / 2), nullptr, kFew).ok());
  const auto sealed = [](const auto& write) {
    std::string body, out;
    Writer w(body);
    write(w);
    seal("APAL", 1, body, out);
    return out;
  };
  const auto row = [](std::initializer_list<std::pair<int, int>> all) {
    std::string out;
    Writer w(out);
    for (const auto& [what, at] : all) {
      w.u64(raw(item(static_cast<std::uint64_t>(what))));
      w.u8(static_cast<std::uint8_t>(at));
    }
    return out;
  };
  const auto one = [&](std::uint64_t who, const std::string& bytes) {
    return sealed([&](Writer& w) {
      w.u64(who);
      w.str(bytes);
    });
  };
  EXPECT_TRUE(PersonsAlike::decode(one(7, row({{1, 0}})), nullptr, kFew).ok());
  EXPECT_FALSE(PersonsAlike::decode(one(0, row({{1, 0}})), nullptr, kFew).ok());
  EXPECT_FALSE(PersonsAlike::decode(one(7, ""), nullptr, kFew).ok());
  EXPECT_FALSE(PersonsAlike::decode(one(7, row({{1, 0}}) + "x"), nullptr, kFew).ok());
  EXPECT_FALSE(PersonsAlike::decode(one(7, row({{1, 0}, {1, 1}})), nullptr, kFew).ok());
  EXPECT_FALSE(PersonsAlike::decode(one(7, row({{1, 9}})), nullptr, kFew).ok());
  EXPECT_FALSE(PersonsAlike::decode(one(7, row({{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 0}})),
                                    nullptr, kFew)
                   .ok());
}

}  // namespace
}  // namespace attune
