#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/cow_map.h"
#include "base/rng.h"

namespace attune {
namespace {

enum class Id : std::uint64_t {};

TEST(CowArray, EqualsAVectorWhileCopiesAreKept) {
  Rng rng(1);
  CowArray<int, 8> array;
  std::vector<int> plain;
  std::vector<std::pair<CowArray<int, 8>, std::vector<int>>> copies;
  for (int round = 0; round < 20'000; ++round) {
    const auto value = static_cast<int>(rng.below(1000));
    const auto kind = rng.below(100);
    if (kind < 40) {
      array.push_back(value);
      plain.push_back(value);
    } else if (kind < 65 && !plain.empty()) {
      array.pop_back();
      plain.pop_back();
    } else if (kind < 97 && !plain.empty()) {
      const auto at = rng.below(plain.size());
      array.change(at) = plain[at] = value;
    } else if (kind == 97) {
      copies.emplace_back(array, plain);
    } else if (kind == 98 && !copies.empty()) {  // go on from an old copy, which stays as it is
      const auto& [old, its_plain] = copies[rng.below(copies.size())];
      array = old;
      plain = its_plain;
    } else if (copies.size() > 5) {
      copies.erase(copies.begin());
    }
  }
  copies.emplace_back(array, plain);
  for (const auto& [copy, expected] : copies) {
    EXPECT_EQ(std::vector<int>(expected), [&] {
      std::vector<int> out;
      for (const int value : copy) out.push_back(value);
      return out;
    }());
  }
}

TEST(CowArray, ResizedPlacesAreNew) {
  CowArray<int, 4> array(10);
  array.change(9) = 5;
  array.resize(9);
  array.resize(11);
  EXPECT_EQ(array[9], 0);
  EXPECT_EQ(array.size(), 11u);
}

TEST(CowArray, CopiesOnlyWhatIsWritten) {
  CowArray<int, 4> array(100);
  const CowArray<int, 4> copy = array;
  const std::size_t pointers = copy.bytes_beside(copy);
  EXPECT_EQ(array.bytes_beside(copy), pointers);
  array.change(50) = 1;
  array.change(51) = 2;  // the same chunk
  EXPECT_EQ(array.bytes_beside(copy) - pointers, array.memory_bytes() / 25 - sizeof(void*) * 2);
  std::vector<std::size_t> differ;
  array.each_difference(copy, [&](std::size_t i) { differ.push_back(i); });
  EXPECT_EQ(differ, (std::vector<std::size_t>{50, 51}));
  EXPECT_EQ(copy[50], 0);
}

TEST(CowMap, EqualsAMapWhileCopiesAreKept) {
  Rng rng(2);
  CowMap<Id, int> map;
  std::map<Id, int> plain;
  std::vector<std::pair<CowMap<Id, int>, std::map<Id, int>>> copies;
  for (int round = 0; round < 50'000; ++round) {
    // Few low bits, so that keys collide.
    const Id key{1 + rng.below(50) + (rng.below(40) << 40)};
    const auto kind = rng.below(100);
    if (kind < 60) {
      map.change(key) += round;
      plain[key] += round;
    } else if (kind < 98) {
      EXPECT_EQ(map.erase(key), plain.erase(key) > 0);
    } else if (kind == 98 && copies.size() < 20) {
      copies.emplace_back(map, plain);
    } else if (!copies.empty() && rng.below(10) == 0) {
      std::tie(map, plain) = copies[rng.below(copies.size())];
    }
    const int* const found = map.find(key);
    ASSERT_EQ(found != nullptr, plain.contains(key));
    if (found) {
      ASSERT_EQ(*found, plain.at(key));
    }
  }
  copies.emplace_back(map, plain);
  for (const auto& [copy, expected] : copies) {
    std::map<Id, int> all;
    copy.each([&](Id key, int value) { all[key] = value; });
    EXPECT_EQ(all, expected);
    EXPECT_EQ(copy.size(), expected.size());
  }
  EXPECT_EQ(map.find(Id{}), nullptr);
}

TEST(CowMap, NamesAllThatDiffers) {
  Rng rng(3);
  CowMap<Id, int> map;
  for (int i = 0; i < 1000; ++i) map.change(Id{rng.next()}) = i;
  const auto before = map;
  std::map<Id, int> changed;
  std::size_t visited = 0;
  const auto expect_all_named = [&] {
    auto left = changed;
    visited = 0;
    map.each_difference(before, [&](Id key, int value, const int* was) {
      ++visited;
      if (was == nullptr || *was != value) {
        EXPECT_EQ(left.erase(key), 1u);
      }
    });
    EXPECT_TRUE(left.empty());
  };
  for (int i = 0; i < 5; ++i) {
    const Id key{rng.next()};
    changed[key] = map.change(key) = -1;
  }
  expect_all_named();
  EXPECT_LT(visited, 5u * 16 + 1);
  for (int i = 0; i < 2000; ++i) {  // it grows
    const Id key{rng.next()};
    changed[key] = map.change(key) = i;
  }
  expect_all_named();
}

TEST(CowPtr, IsCopiedOnceAfterItsTableWas) {
  CowMap<Id, CowPtr<std::string>> map;
  map.change(Id{1}).change() = "a";
  const std::string* const first = map.find(Id{1})->get();
  map.change(Id{1}).change() += "b";
  EXPECT_EQ(map.find(Id{1})->get(), first);
  const auto copy = map;
  map.change(Id{1}).change() += "c";
  EXPECT_EQ(**copy.find(Id{1}), "ab");
  const std::string* const second = map.find(Id{1})->get();
  EXPECT_NE(second, first);
  for (std::uint64_t i = 2; i < 200; ++i) map.change(Id{i}).change() = "x";  // the table grows
  map.change(Id{1}).change() += "d";
  EXPECT_EQ(**map.find(Id{1}), "abcd");
  EXPECT_EQ(**copy.find(Id{1}), "ab");
  EXPECT_EQ(copy.size(), 1u);
}

}  // namespace
}  // namespace attune
