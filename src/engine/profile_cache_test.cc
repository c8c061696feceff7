#include "engine/profile_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "base/rng.h"

namespace attune {
namespace {

using Bytes = std::map<Surrogate, std::string>;

ProfileCache over(const Bytes& store) {
  return ProfileCache([&store](Surrogate identity) -> Result<std::string> {
    const auto found = store.find(identity);
    return found == store.end() ? std::string() : found->second;
  });
}

Bytes take_all(ProfileCache& cache) {
  Bytes all;
  std::vector<std::pair<Surrogate, std::string>> some;
  while (cache.take(3, some)) {
    for (auto& [identity, bytes] : some) {
      EXPECT_TRUE(all.emplace(identity, std::move(bytes)).second) << "handed out twice";
    }
  }
  return all;
}

std::string number(std::uint64_t n) { return "profile " + std::to_string(n); }

TEST(ProfileCache, LoadsWhatIsStoredAndKeepsWhatIsPut) {
  const Bytes store = {{Surrogate{5}, "five"}};
  ProfileCache cache = over(store);
  ASSERT_TRUE(cache.load(Surrogate{5}).ok());
  ASSERT_TRUE(cache.load(Surrogate{6}).ok());
  EXPECT_EQ(cache.find(Surrogate{5}), "five");
  EXPECT_EQ(cache.find(Surrogate{6}), "");
  cache.put(Surrogate{5}, "changed");
  ASSERT_TRUE(cache.load(Surrogate{5}).ok());
  EXPECT_EQ(cache.find(Surrogate{5}), "changed");
}

TEST(ProfileCache, CheckpointSeesTheMomentItBegan) {
  ProfileCache cache;
  for (std::uint64_t i = 1; i <= 10; ++i) cache.put(Surrogate{i}, number(i));
  cache.begin_checkpoint();
  cache.put(Surrogate{3}, "later");
  cache.put(Surrogate{11}, "later");
  const Bytes all = take_all(cache);
  ASSERT_EQ(all.size(), 10u);
  EXPECT_EQ(all.at(Surrogate{3}), number(3));
  cache.end_checkpoint(true);
  cache.begin_checkpoint();
  EXPECT_EQ(take_all(cache), (Bytes{{Surrogate{3}, "later"}, {Surrogate{11}, "later"}}));
}

TEST(ProfileCache, ASortedCheckpointComesInOrder) {
  Rng rng(3);
  ProfileCache cache;
  for (std::uint64_t i = 0; i < 500; ++i) cache.put(Surrogate{rng.next()}, number(i));
  cache.begin_checkpoint();
  cache.sort_checkpoint();
  std::vector<std::pair<Surrogate, std::string>> all;
  ASSERT_TRUE(cache.take(1000, all));
  EXPECT_EQ(all.size(), 500u);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
}

TEST(ProfileCache, WhatWasNotStoredComesAgain) {
  ProfileCache cache;
  cache.put(Surrogate{1}, "a");
  cache.begin_checkpoint();
  EXPECT_EQ(take_all(cache).size(), 1u);
  cache.put(Surrogate{1}, "b");
  cache.end_checkpoint(false);
  cache.begin_checkpoint();
  EXPECT_EQ(take_all(cache), (Bytes{{Surrogate{1}, "b"}}));
}

TEST(ProfileCache, KeepsItsLimitButNothingChanged) {
  const Bytes store;
  ProfileCache cache = over(store);
  cache.set_limit(64 << 10);
  for (std::uint64_t i = 1; i <= 1000; ++i) cache.put(Surrogate{i}, std::string(100, 'x'));
  EXPECT_FALSE(cache.trim());
  EXPECT_EQ(cache.resident(), 1000u);
  cache.begin_checkpoint();
  (void)take_all(cache);
  EXPECT_FALSE(cache.trim()) << "taken, but not stored yet";
  cache.end_checkpoint(true);
  EXPECT_TRUE(cache.trim());
  EXPECT_LE(cache.memory_bytes(), std::size_t{64 << 10});
  EXPECT_GT(cache.resident(), 0u);
}

// Against a plain map, with everything happening at random.
TEST(ProfileCache, AgreesWithAPlainMap) {
  Rng rng(5);
  Bytes store, truth, at_checkpoint;
  ProfileCache cache = over(store);
  cache.set_limit(20'000);
  bool is_under_way = false;
  for (std::uint64_t step = 0; step < 40'000; ++step) {
    const Surrogate who{mix64(1, rng.below(500))};
    const std::uint64_t what = rng.below(1000);
    if (what < 500) {
      ASSERT_TRUE(cache.load(who).ok());
      ASSERT_EQ(cache.find(who), truth.contains(who) ? truth.at(who) : "") << step;
      (void)cache.trim();
    } else if (what < 980) {
      ASSERT_TRUE(cache.load(who).ok());
      truth[who] = rng.chance(0.1) ? std::string() : std::string(rng.below(60), 'a') + number(step);
      cache.put(who, truth[who]);
    } else if (!is_under_way) {
      cache.begin_checkpoint();
      at_checkpoint = truth;
      is_under_way = true;
    } else {
      const bool is_stored = rng.chance(0.7);
      const Bytes all = take_all(cache);
      for (const auto& [identity, bytes] : all) ASSERT_EQ(bytes, at_checkpoint.at(identity));
      if (is_stored) {
        for (const auto& [identity, bytes] : all) store[identity] = bytes;
      }
      cache.end_checkpoint(is_stored);
      is_under_way = false;
    }
  }
}

}  // namespace
}  // namespace attune
