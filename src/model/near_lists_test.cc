#include "model/near_lists.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "base/rng.h"
#include "model/factor_solver.h"
#include "model/sealed.h"

namespace attune {
namespace {

constexpr std::size_t kSize = 32;

// Vectors about 300 middles, of lengths that differ.
std::vector<float> made(std::size_t count, std::uint64_t seed) {
  Rng middles(1), rng(seed);
  std::vector<double> middle(300 * kSize);
  for (double& number : middle) number = middles.normal();
  std::vector<float> out;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = rng.below(300) * kSize;
    const double length = 0.3 + rng.uniform();
    for (std::size_t k = 0; k < kSize; ++k) {
      out.push_back(static_cast<float>(length * (middle[at + k] + 0.5 * rng.normal())));
    }
  }
  return out;
}

std::vector<float> laid(const std::vector<float>& vectors,
                        const std::vector<std::uint32_t>& order) {
  std::vector<float> out;
  for (const std::uint32_t i : order) {
    const auto at = vectors.begin() + static_cast<std::ptrdiff_t>(i * kSize);
    out.insert(out.end(), at, at + kSize);
  }
  return out;
}

// Places of the greatest products with x among these.
std::vector<std::uint32_t> best(const std::vector<float>& vectors, const float* x,
                                const std::vector<NearLists::Range>& ranges, std::size_t wanted) {
  std::vector<std::pair<float, std::uint32_t>> scores;
  for (const auto& [begin, end] : ranges) {
    for (std::uint32_t i = begin; i < end; ++i) {
      scores.emplace_back(-product(std::span(vectors).subspan(i * kSize, kSize), x), i);
    }
  }
  std::sort(scores.begin(), scores.end());
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < std::min(wanted, scores.size()); ++i) out.push_back(scores[i].second);
  std::sort(out.begin(), out.end());
  return out;
}

std::string bytes_of(const NearLists& lists) {
  std::string out;
  lists.encode(out);
  return out;
}

TEST(NearLists, FewListsHaveAlmostAllOfTheGreatest) {
  constexpr std::uint32_t kCount = 120'000;
  const std::vector<float> vectors = made(kCount, 2);
  std::vector<std::uint32_t> order;
  NearLists lists(vectors, kSize, 1, order);
  const std::vector<float> places = laid(vectors, order);
  lists.probe(places, made(100, 3));
  EXPECT_EQ(lists.lists(), 346U);
  EXPECT_GE(lists.recall(), NearLists::kRecall);
  const std::vector<float> queries = made(50, 4);  // others than it was tried with
  double found = 0, seen = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    const float* const x = &queries[i * kSize];
    const auto near = lists.near(x, 500, 500);
    for (const auto& [begin, end] : near) seen += end - begin;
    const auto got = best(places, x, near, 500), all = best(places, x, {{0, kCount}}, 500);
    std::vector<std::uint32_t> both;
    std::set_intersection(got.begin(), got.end(), all.begin(), all.end(), std::back_inserter(both));
    found += double(both.size());
  }
  EXPECT_GE(found / (50 * 500), 0.95);
  EXPECT_LT(seen / 50, kCount / 5.0);
}

TEST(NearLists, EveryVectorIsInOneListAndTheSeedSaysWhich) {
  const std::vector<float> vectors = made(2000, 2);
  std::vector<std::uint32_t> order, again, other;
  const NearLists lists(vectors, kSize, 1, order), same(vectors, kSize, 1, again),
      seeded(vectors, kSize, 2, other);
  EXPECT_EQ(order, again);
  EXPECT_EQ(bytes_of(lists), bytes_of(same));
  EXPECT_NE(order, other);
  std::vector<bool> is_seen(2000);
  for (const auto& [begin, end] : lists.near(vectors.data(), 1, 1)) {
    for (std::uint32_t i = begin; i < end; ++i) is_seen[order[i]] = true;
  }
  EXPECT_EQ(std::count(is_seen.begin(), is_seen.end(), true), 2000);  // not tried: all lists
}

TEST(NearLists, LooksAtMoreListsWhenMoreAreWanted) {
  const std::vector<float> vectors = made(20'000, 2);
  std::vector<std::uint32_t> order;
  NearLists lists(vectors, kSize, 1, order);
  lists.probe(laid(vectors, order), made(50, 3));
  const auto vectors_in = [](const std::vector<NearLists::Range>& ranges) {
    std::size_t out = 0;
    for (const auto& [begin, end] : ranges) out += end - begin;
    return out;
  };
  const float* const x = vectors.data();
  const std::size_t few = vectors_in(lists.near(x, 1, 1));
  EXPECT_EQ(few, vectors_in(lists.near(x, 500, 500)));
  EXPECT_LT(few, vectors_in(lists.near(x, 1000, 1000)));
  EXPECT_GE(vectors_in(lists.near(x, 1, 15'000)), 15'000U);
  EXPECT_EQ(vectors_in(lists.near(x, ~std::size_t{0}, ~std::size_t{0})), 20'000U);
}

TEST(NearLists, EqualVectorsAreNoTrouble) {
  const std::vector<float> vectors(1000 * kSize, 0.5F);
  std::vector<std::uint32_t> order;
  NearLists lists(vectors, kSize, 1, order);
  lists.probe(vectors, std::span(vectors).first(kSize));
  EXPECT_EQ(lists.near(vectors.data(), 10, 10).size(), 1U);  // the others are empty
}

TEST(NearLists, BytesThatMakeNoSenseAreRefused) {
  const auto sealed = [](std::uint64_t lists, std::uint64_t probed, double recall,
                         const std::vector<std::uint32_t>& ends, float number) {
    std::string body, out;
    Writer w(body);
    w.varint(lists);
    w.varint(probed);
    w.f64(recall);
    for (const std::uint32_t end : ends) w.u32(end);
    for (std::size_t i = 0; i < ends.size() * 8; ++i) w.f32(number);
    seal("ANLS", 1, body, out);
    return NearLists::decode(out, 9, 8);
  };
  EXPECT_TRUE(sealed(2, 1, 0.97, {4, 9}, 1).ok());
  EXPECT_FALSE(sealed(2, 0, 0.97, {4, 9}, 1).ok());
  EXPECT_FALSE(sealed(2, 3, 0.97, {4, 9}, 1).ok());
  EXPECT_FALSE(sealed(2, 1, std::nan(""), {4, 9}, 1).ok());
  EXPECT_FALSE(sealed(2, 1, 0.97, {4, 8}, 1).ok());
  EXPECT_FALSE(sealed(2, 1, 0.97, {10, 9}, 1).ok());
  EXPECT_FALSE(sealed(3, 1, 0.97, {4, 9}, 1).ok());
  EXPECT_FALSE(sealed(~std::uint64_t{0} / 36 + 2, 1, 0.97, {4, 9}, 1).ok());
  EXPECT_FALSE(sealed(0, 0, 0.97, {}, 1).ok());
  EXPECT_FALSE(sealed(2, 1, 0.97, {4, 9}, std::nanf("")).ok());
}

}  // namespace
}  // namespace attune
