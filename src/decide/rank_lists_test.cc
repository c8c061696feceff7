#include "decide/rank_lists.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace attune {
namespace {

constexpr std::size_t kLength = 20;

std::vector<std::string> ids(const std::vector<const Item*>& list) {
  std::vector<std::string> out;
  for (const Item* item : list) out.push_back(item->id);
  return out;
}

// A small world that changes a little with each version.
class World {
 public:
  explicit World(std::uint64_t seed) : rng_(seed) {
    put(300);
    next_.catalog = catalog_;
    next_.counters = std::make_shared<Counters>(counters_);
    next_.time = now_;
    rank_lists(next_, kLength);
  }
  void put(std::uint64_t count) {
    auto changed = std::make_shared<Catalog>(*catalog_);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto hidden = rng_.below(10) == 0 ? "true" : "false";
      EXPECT_TRUE(
          changed
              ->apply(fmt::format(R"({{"op":"put_item","item":{{"id":"i{}","is_hidden":{}}}}})",
                                  rng_.below(500), hidden),
                      now_ - seconds(static_cast<double>(rng_.below(1000))))
              .ok());
    }
    catalog_ = std::move(changed);
  }
  void remove(std::size_t at) {
    auto changed = std::make_shared<Catalog>(*catalog_);
    EXPECT_TRUE(
        changed
            ->apply(fmt::format(R"({{"op":"delete_item","id":"{}"}})", catalog_->items()[at]->id),
                    now_)
            .ok());
    catalog_ = std::move(changed);
  }
  void count(std::uint64_t events) {
    for (std::uint64_t i = 0; i < events; ++i) {
      const ItemKey item = item_key(fmt::format("i{}", rng_.below(520)));
      counted_.push_back(item);
      Affinity& affinity = counters_.items.change(item);
      affinity.shown.add(now_);
      counters_.all.shown.add(now_);
      if (rng_.below(3) != 0) continue;
      affinity.engaged.add(now_);
      counters_.all.engaged.add(now_);
    }
  }
  const Published& tick() {
    const auto before = next_.catalog;
    now_ += seconds(1);
    ++next_.version;
    next_.time = now_;
    next_.catalog = catalog_;
    next_.counters = std::make_shared<Counters>(counters_);
    refresh_lists(next_, *before, counted_, kLength);
    counted_.clear();
    return next_;
  }
  Published whole() const {
    Published all = next_;
    rank_lists(all, kLength);
    return all;
  }
  std::size_t items() const { return catalog_->items().size(); }
  std::uint64_t below(std::uint64_t n) { return rng_.below(n); }

 private:
  Rng rng_;
  Time now_ = time_from_us(1'800'000'000'000'000);
  std::shared_ptr<const Catalog> catalog_ = std::make_shared<Catalog>();
  Counters counters_;
  std::vector<ItemKey> counted_;
  Published next_;
};

TEST(RankLists, KeptUpEqualThoseMadeWholeOnceAllWasLookedAt) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    World world(seed);
    for (int round = 0; round < 40; ++round) {
      if (world.below(3) == 0) world.put(world.below(20));
      if (world.below(3) == 0) world.remove(world.below(world.items()));
      world.count(world.below(50));
      const Published& kept = world.tick();
      // Never a deleted or hidden item, none twice; and full.
      std::vector<const Item*> all = kept.popular;
      for (const Item* item : all) {
        EXPECT_EQ(kept.catalog->find(item->key), item);
        EXPECT_FALSE(item->is_hidden);
      }
      std::sort(all.begin(), all.end());
      EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
      EXPECT_EQ(all.size(), kLength);
    }
    for (std::uint64_t i = 0; i < kListRounds; ++i) world.tick();
    const Published& kept = world.tick();
    EXPECT_EQ(ids(kept.popular), ids(world.whole().popular)) << seed;
    EXPECT_EQ(ids(kept.latest), ids(world.whole().latest)) << seed;
  }
}

TEST(RankLists, ACountedItemComesInAtOnce) {
  World world(9);
  world.count(3000);
  world.tick();
  EXPECT_EQ(ids(world.tick().popular), ids(world.whole().popular));
}

TEST(RankLists, AreFilledAgainAtOnceWhenMostIsDeleted) {
  World world(3);
  while (world.items() > 25) world.remove(0);
  const Published& kept = world.tick();
  EXPECT_EQ(ids(kept.latest), ids(world.whole().latest));
  EXPECT_EQ(ids(kept.popular), ids(world.whole().popular));
}

}  // namespace
}  // namespace attune
