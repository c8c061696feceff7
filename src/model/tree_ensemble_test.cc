#include "model/tree_ensemble.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rng.h"

namespace attune {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kColumns = 4;

TreeNode leaf(float value, float cover) { return {.at = value, .cover = cover}; }

// A tree of so many levels, columns and bounds by chance; covers add up.
std::vector<TreeNode> some_tree(Rng& rng, std::size_t levels) {
  std::vector<TreeNode> nodes{leaf(0, 1000)};
  std::size_t begin = 0;
  for (std::size_t level = 0; level < levels; ++level) {
    const std::size_t end = nodes.size();
    for (; begin < end; ++begin) {
      if (level > 0 && rng.chance(0.2)) continue;
      const float cover = nodes[begin].cover;
      const auto share = static_cast<float>(0.1 + 0.8 * rng.uniform());
      nodes[begin].left = static_cast<std::uint32_t>(nodes.size());
      nodes[begin].column = static_cast<std::uint16_t>(rng.below(kColumns));
      nodes[begin].at = static_cast<float>(rng.normal());
      nodes[begin].is_missing_left = rng.chance(0.5);
      nodes.push_back(leaf(0, cover * share));
      nodes.push_back(leaf(0, cover * (1 - share)));
    }
  }
  for (TreeNode& node : nodes) {
    if (node.left == 0) node.at = static_cast<float>(rng.normal());
  }
  return nodes;
}

// The plain twin: what the tree says when only the columns in `known` are, the others averaged
// over.
double expected(const std::vector<TreeNode>& nodes, std::size_t at, std::span<const float> x,
                unsigned known) {
  const TreeNode& node = nodes[at];
  if (node.left == 0) return double{node.at};
  const double left = double{nodes[node.left].cover}, right = double{nodes[node.left + 1].cover};
  const float value = x[node.column];
  if ((known >> node.column & 1U) != 0) {
    const bool is_left = std::isnan(value) ? node.is_missing_left : value < node.at;
    return expected(nodes, node.left + (is_left ? 0 : 1), x, known);
  }
  return (left * expected(nodes, node.left, x, known) +
          right * expected(nodes, node.left + 1, x, known)) /
         (left + right);
}

// Shapley's own formula: the mean over all orders in which columns become known.
double shapley(const std::vector<TreeNode>& nodes, std::span<const float> x, unsigned column) {
  const double orders = std::tgamma(kColumns + 1.0);
  double sum = 0;
  for (unsigned known = 0; known < 1U << kColumns; ++known) {
    if ((known >> column & 1U) != 0) continue;
    const int size = __builtin_popcount(known);
    const double weight = std::tgamma(size + 1.0) * std::tgamma(kColumns - size) / orders;
    sum += weight * (expected(nodes, 0, x, known | 1U << column) - expected(nodes, 0, x, known));
  }
  return sum;
}

TEST(TreeEnsemble, AttributesAsShapleysFormulaDoes) {
  Rng rng(3);
  for (int round = 0; round < 50; ++round) {
    TreeEnsemble trees(0.5, kColumns);
    std::vector<std::vector<TreeNode>> plain;
    for (int t = 0; t < 3; ++t) {
      plain.push_back(some_tree(rng, 5));
      ASSERT_TRUE(trees.add(plain.back()));
    }
    std::vector<float> x;
    for (std::size_t c = 0; c < kColumns; ++c) {
      x.push_back(rng.chance(0.2) ? kNan : static_cast<float>(rng.normal()));
    }
    std::vector<double> found(kColumns);
    trees.attribute(x, found);
    double sum = trees.mean();
    for (unsigned c = 0; c < kColumns; ++c) {
      double right = 0;
      for (const auto& tree : plain) right += shapley(tree, x, c);
      EXPECT_NEAR(found[c], right, 1e-9) << "column " << c;
      sum += found[c];
    }
    EXPECT_NEAR(sum, trees.sum(x), 1e-9);
  }
}

TEST(TreeEnsemble, IsReadBackAsItWas) {
  Rng rng(4);
  TreeEnsemble trees(-1, kColumns);
  for (int t = 0; t < 20; ++t) ASSERT_TRUE(trees.add(some_tree(rng, 6)));
  std::string bytes;
  trees.encode(bytes);
  TreeEnsemble back;
  Reader reader(bytes);
  ASSERT_TRUE(back.restore(reader, kColumns));
  EXPECT_TRUE(reader.done());
  std::string again;
  back.encode(again);
  EXPECT_EQ(again, bytes);
  EXPECT_EQ(back.mean(), trees.mean());
  const std::vector<float> x{0.3F, kNan, -2, 1};
  EXPECT_EQ(back.sum(x), trees.sum(x));
}

TEST(TreeEnsemble, MissingValuesGoWhereTheyAreSent) {
  Rng rng(4);
  TreeEnsemble trees(0, kColumns);
  for (int t = 0; t < 20; ++t) ASSERT_TRUE(trees.add(some_tree(rng, 6)));
  const std::vector<float> with{0.3F, -0.2F, 1, -1}, missing(kColumns, kNan);
  EXPECT_NE(trees.sum(missing), trees.sum(with));
  trees.send_missing(with);
  EXPECT_EQ(trees.sum(missing), trees.sum(with));
}

TEST(TreeEnsemble, WhatIsNoTreeIsRefused) {
  const float inf = std::numeric_limits<float>::infinity();
  const TreeNode split{.at = 0, .cover = 2, .left = 1, .column = 1};
  const auto is_taken = [](const std::vector<TreeNode>& nodes) {
    TreeEnsemble trees(0, kColumns);
    const bool is_added = trees.add(nodes);
    EXPECT_EQ(trees.size(), is_added ? 1 : 0);
    return is_added;
  };
  EXPECT_TRUE(is_taken({split, leaf(1, 1), leaf(2, 1)}));
  EXPECT_FALSE(is_taken({}));
  EXPECT_FALSE(is_taken({split, leaf(1, 1)}));         // no right side
  EXPECT_FALSE(is_taken({split, split, leaf(1, 1)}));  // a circle
  EXPECT_FALSE(is_taken({leaf(kNan, 1)}));
  EXPECT_FALSE(is_taken({leaf(inf, 1)}));
  EXPECT_FALSE(is_taken({leaf(1, 0)}));
  TreeNode beyond = split;
  beyond.column = kColumns;
  EXPECT_FALSE(is_taken({beyond, leaf(1, 1), leaf(2, 1)}));
  // Down the right sides: node i splits into i + 1, a leaf, and i + 2.
  const auto deep = [](std::size_t levels) {
    std::vector<TreeNode> nodes;
    for (std::uint32_t i = 0; i < 2 * levels; i += 2) {
      nodes.push_back({.at = 0, .cover = 1, .left = i + 1});
      nodes.push_back(leaf(0, 1));
    }
    nodes.push_back(leaf(0, 1));
    return nodes;
  };
  EXPECT_TRUE(is_taken(deep(TreeEnsemble::kMostDepth)));
  EXPECT_FALSE(is_taken(deep(TreeEnsemble::kMostDepth + 1)));
}

TEST(TreeEnsemble, DamagedBytesNeverHarm) {
  Rng rng(5);
  TreeEnsemble trees(0, kColumns);
  for (int t = 0; t < 4; ++t) ASSERT_TRUE(trees.add(some_tree(rng, 5)));
  std::string bytes;
  trees.encode(bytes);
  const std::vector<float> x{0.3F, kNan, -2, 1};
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = bytes.substr(0, round % 2 == 0 ? bytes.size() : rng.below(bytes.size()));
    for (int i = 0; i < 3 && !damaged.empty(); ++i) {
      damaged[rng.below(damaged.size())] = static_cast<char>(rng.below(256));
    }
    TreeEnsemble back;
    Reader reader(damaged);
    if (!back.restore(reader, kColumns)) continue;
    std::vector<double> parts(kColumns);
    (void)back.sum(x);
    back.attribute(x, parts);
  }
}

}  // namespace
}  // namespace attune
