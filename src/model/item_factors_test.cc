#include "model/item_factors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/rng.h"
#include "model/sealed.h"

namespace attune {
namespace {

constexpr ImplicitFactorsOptions kSmall{.size = 8, .all = 0.1, .ridge = 0.02};

ItemKey item(std::uint64_t n) { return ItemKey{mix64(n, 1)}; }

// Two circles of persons, each taking from its own half of 40 items.
ItemFactors circles() {
  Rng rng(3);
  std::vector<std::vector<std::uint32_t>> rows(60);
  for (std::size_t person = 0; person < rows.size(); ++person) {
    for (std::uint32_t i = 0; i < 40; ++i) {
      if (rng.chance((person < 30) == (i < 20) ? 0.4 : 0.01)) rows[person].push_back(i);
    }
  }
  std::vector<ItemKey> items;
  for (std::uint64_t i = 0; i < 40; ++i) items.push_back(item(i));
  return {std::move(items), ImplicitFactors(Interactions(std::move(rows), 40), kSmall), kSmall};
}

std::string bytes_of(const ItemFactors& model) {
  std::string out;
  model.encode(out);
  return out;
}

TEST(ItemFactors, WhoTookOfOneCircleIsGivenTheRestOfIt) {
  const ItemFactors model = circles();
  const std::vector<ItemKey> recent = {item(1), item(5), item(7)};
  const auto best = model.score(recent, 10);
  ASSERT_EQ(best.size(), 10U);
  for (const Neighbour& one : best) {
    std::uint64_t n = 0;
    while (item(n) != one.item) ++n;
    EXPECT_LT(n, 20U);
    EXPECT_TRUE(n != 1 && n != 5 && n != 7);
  }
  EXPECT_TRUE(model.score({}, 10).empty());
  const std::vector<ItemKey> unknown = {item(99)};
  EXPECT_TRUE(model.score(unknown, 10).empty());
  EXPECT_TRUE(model.score(recent, 0).empty());
}

TEST(ItemFactors, ASmallLimitGivesTheBeginningOfTheWholeOrder) {
  const ItemFactors model = circles();
  const std::vector<ItemKey> recent = {item(30), item(3)};
  const auto all = model.score(recent, 100);
  ASSERT_EQ(all.size(), 38U);
  for (const std::size_t limit : {1, 2, 7, 20}) {
    const auto best = model.score(recent, limit);
    ASSERT_EQ(best.size(), limit);
    for (std::size_t i = 0; i < limit; ++i) EXPECT_EQ(best[i].item, all[i].item) << limit;
  }
}

// The gradient of what is made least is 0 at the person's vector.
TEST(ItemFactors, ThePersonsVectorIsTheLeastSquaresOne) {
  const ItemFactors model = circles();
  const std::vector<ItemKey> recent = {item(1), item(5), item(7)};
  const std::vector<float> x = model.person(recent);
  ASSERT_EQ(x.size(), 8U);
  const std::string bytes = bytes_of(model);
  Reader body(std::string_view(bytes).substr(8));
  EXPECT_EQ(body.varint(), 8U);
  (void)body.f64();
  (void)body.f64();
  EXPECT_EQ(body.varint(), 40U);
  for (int i = 0; i < 40; ++i) (void)body.u64();
  std::vector<double> gradient(8);
  for (std::size_t k = 0; k < 8; ++k) gradient[k] = 0.02 * (3 + 0.1 * 40) * double{x[k]};
  for (int i = 0; i < 40; ++i) {
    std::vector<double> q(8);
    double score = 0;
    for (std::size_t k = 0; k < 8; ++k) {
      q[k] = double{body.f32()};
      score += q[k] * double{x[k]};
    }
    const bool is_taken = i == 1 || i == 5 || i == 7;
    for (std::size_t k = 0; k < 8; ++k) {
      gradient[k] += 0.1 * score * q[k] + (is_taken ? (score - 1) * q[k] : 0);
    }
  }
  for (const double one : gradient) EXPECT_NEAR(one, 0, 1e-5);
}

TEST(ItemFactors, IsTheSameAfterSaving) {
  const ItemFactors model = circles();
  const std::string bytes = bytes_of(model);
  const auto again = ItemFactors::decode(bytes);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(bytes_of(*again), bytes);
  const std::vector<ItemKey> recent = {item(1), item(25)};
  const auto a = model.score(recent, 10), b = again->score(recent, 10);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].item, b[i].item);
    EXPECT_EQ(a[i].count, b[i].count);
  }
}

TEST(ItemFactors, BytesThatMakeNoSenseAreRefused) {
  const auto sealed = [](std::uint64_t size, double ridge, std::uint64_t items,
                         const std::vector<std::uint64_t>& keys, float number) {
    std::string body, out;
    Writer w(body);
    w.varint(size);
    w.f64(0.1);
    w.f64(ridge);
    w.varint(items);
    for (const std::uint64_t key : keys) w.u64(key);
    for (std::uint64_t i = 0; i < keys.size() * size; ++i) w.f32(number);
    seal("AIFV", 1, body, out);
    return ItemFactors::decode(out);
  };
  EXPECT_TRUE(sealed(8, 0.1, 2, {1, 2}, 0.5F).ok());
  EXPECT_FALSE(sealed(7, 0.1, 2, {1, 2}, 0.5F).ok());
  EXPECT_FALSE(sealed(0, 0.1, 2, {1, 2}, 0.5F).ok());
  EXPECT_FALSE(sealed(8, 0, 2, {1, 2}, 0.5F).ok());
  EXPECT_FALSE(sealed(8, 0.1, 3, {1, 2}, 0.5F).ok());
  EXPECT_FALSE(sealed(8, 0.1, ~std::uint64_t{0} / 40 + 2, {1, 2}, 0.5F).ok());
  EXPECT_FALSE(sealed(8, 0.1, 2, {1, 1}, 0.5F).ok());
  EXPECT_FALSE(sealed(8, 0.1, 2, {1, 0}, 0.5F).ok());
  EXPECT_FALSE(sealed(8, 0.1, 2, {1, 2}, std::nanf("")).ok());
}

// 2,500 persons, each taking of one of 500 groups of items, and 100,000 items in all.
ItemFactors many(std::vector<std::vector<std::uint32_t>>& rows) {
  constexpr std::uint32_t kItems = ItemFactors::kListed, kGroup = kItems / 500;
  Rng rng(7);
  rows.resize(2500);
  for (auto& row : rows) {
    const auto group = static_cast<std::uint32_t>(rng.below(500));
    for (int i = 0; i < 100; ++i) {
      row.push_back(group * kGroup + static_cast<std::uint32_t>(rng.below(kGroup)));
    }
    std::sort(row.begin(), row.end());
    row.erase(std::unique(row.begin(), row.end()), row.end());
  }
  std::vector<ItemKey> items;
  for (std::uint64_t i = 0; i < kItems; ++i) items.push_back(item(i));
  const ImplicitFactorsOptions options{.size = 16, .rounds = 3};
  return {std::move(items), ImplicitFactors(Interactions(rows, kItems), options), options};
}

TEST(ItemFactors, ManyItemsAreFoundInListsOfNearOnes) {
  std::vector<std::vector<std::uint32_t>> rows;
  const ItemFactors model = many(rows);
  ASSERT_NE(model.lists(), nullptr);
  EXPECT_LT(model.lists()->probed(), model.lists()->lists() / 4);
  const auto exact = ItemFactors::decode(bytes_of(model));  // which looks at every item
  ASSERT_TRUE(exact.ok());
  ASSERT_EQ(exact->lists(), nullptr);
  double found = 0, asked = 0;
  for (std::size_t person = 0; person < rows.size(); person += 50) {
    std::vector<ItemKey> recent;
    for (std::size_t i = 0; i < 30; ++i) recent.push_back(item(rows[person][i]));
    const auto near = model.score(recent, 100), all = exact->score(recent, 100);
    ASSERT_EQ(near.size(), 100U);
    for (const Neighbour& one : all) {
      found += std::any_of(near.begin(), near.end(), [&](const Neighbour& other) {
        return other.item == one.item && other.count == one.count;
      });
    }
    asked += double(all.size());
  }
  EXPECT_GE(found / asked, 0.95);
  const std::vector<ItemKey> recent = {item(rows[0][0])};
  EXPECT_EQ(model.score(recent, 200'000).size(), ItemFactors::kListed - 1);
}

TEST(ItemFactors, ListsAreKeptInTheFile) {
  std::vector<std::vector<std::uint32_t>> rows;
  const ItemFactors model = many(rows);
  const std::string path = testing::TempDir() + "lists.model";
  ASSERT_TRUE(model.save(path).ok());
  const auto again = ItemFactors::load(path);
  ASSERT_TRUE(again.ok()) << again.error().message;
  ASSERT_NE(again->lists(), nullptr);
  const std::vector<ItemKey> recent = {item(rows[1][0]), item(rows[1][1])};
  const auto a = model.score(recent, 300), b = again->score(recent, 300);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].item, b[i].item);
  std::string once, twice;
  model.lists()->encode(once);
  again->lists()->encode(twice);
  EXPECT_EQ(once, twice);
}

}  // namespace
}  // namespace attune
