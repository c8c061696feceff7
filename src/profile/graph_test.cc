#include "profile/graph.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "profile/profile.h"

namespace attune {
namespace {

constexpr Surrogate s(std::uint64_t n) { return Surrogate{n}; }
using List = std::vector<Surrogate>;

std::string bytes(const IdentityGraph& graph) {
  std::string out;
  graph.encode(out);
  return out;
}

TEST(IdentityGraph, LinksAndUnlinks) {
  IdentityGraph g;
  EXPECT_EQ(g.members(s(3)), List{s(3)});
  EXPECT_TRUE(g.link(s(3), s(1), 1));
  EXPECT_TRUE(g.link(s(1), s(2), 2));
  EXPECT_TRUE(g.link(s(2), s(1), 3));
  EXPECT_FALSE(g.link(s(1), s(1), 4));
  EXPECT_FALSE(g.link(s(1), s(0), 4));
  EXPECT_EQ(g.members(s(2)), (List{s(1), s(2), s(3)}));
  EXPECT_FALSE(g.unlink(s(3), s(2)));
  EXPECT_TRUE(g.unlink(s(1), s(3)));
  EXPECT_EQ(g.members(s(3)), List{s(3)});
  EXPECT_EQ(g.members(s(1)), (List{s(1), s(2)}));
  g.drop(s(1));
  EXPECT_EQ(g.members(s(2)), List{s(2)});
  EXPECT_EQ(bytes(g), bytes(IdentityGraph()));
}

TEST(IdentityGraph, CapsAPerson) {
  IdentityGraph g;
  for (std::uint64_t i = 2; i <= kMaxIdentities; ++i) EXPECT_TRUE(g.link(s(1), s(i), i));
  EXPECT_FALSE(g.link(s(9), s(1000), 99));
  EXPECT_TRUE(g.link(s(9), s(10), 99));  // inside the person
  EXPECT_EQ(g.members(s(5)).size(), kMaxIdentities);
}

TEST(IdentityGraph, EncodesCanonically) {
  IdentityGraph a, b;
  a.link(s(1), s(2), 1);
  a.link(s(7), s(2), 2);
  b.link(s(2), s(7), 2);
  b.link(s(8), s(9), 3);
  b.link(s(2), s(1), 1);
  b.drop(s(9));
  EXPECT_EQ(bytes(a), bytes(b));
  const auto decoded = IdentityGraph::decode(bytes(a));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(bytes(*decoded), bytes(a));
  EXPECT_EQ(decoded->members(s(7)), a.members(s(7)));
}

TEST(IdentityGraph, RefusesGarbage) {
  Rng rng(5);
  IdentityGraph g;
  for (std::uint64_t i = 1; i < 20; ++i) g.link(s(i), s(i + 1), i);
  const auto good = bytes(g);
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(IdentityGraph::decode(std::string_view(good).substr(0, n)).ok());
  }
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    for (int i = 0; i < 1 + round % 40; ++i) {
      bad[rng.below(bad.size())] = static_cast<char>(rng.below(256));
    }
    const auto result = IdentityGraph::decode(bad);
    if (result.ok()) {
      EXPECT_EQ(bytes(*result), bad);
    }
  }
}

TEST(IdentityGraph, UnlinkRestoresProfilesExactly) {
  IdentityGraph g;
  std::unordered_map<Surrogate, Profile, IdHash> store;
  Event e;
  e.verb = Verb::kClick;
  for (std::uint64_t i = 1; i <= 30; ++i) {
    e.item_id = "i" + std::to_string(i);
    e.time = time_from_us(static_cast<std::int64_t>((i * 7919) % 100) * 1'000'000);
    store[s(1 + i % 2)].apply(e, {}, i);
  }
  const auto person = [&](Surrogate any) {
    std::vector<const Profile*> parts;
    for (const Surrogate each : g.members(any)) parts.push_back(&store[each]);
    std::string out;
    merge(parts).encode(out);
    return out;
  };
  const auto first = person(s(1)), second = person(s(2));
  g.link(s(1), s(2), 31);
  EXPECT_EQ(person(s(1)), person(s(2)));
  EXPECT_NE(person(s(1)), first);
  g.unlink(s(1), s(2));
  EXPECT_EQ(person(s(1)), first);
  EXPECT_EQ(person(s(2)), second);
}

}  // namespace
}  // namespace attune
