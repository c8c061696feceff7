// TreeEnsemble: regression trees whose leaves add up, as one array of nodes. A value below the
// bound of a split goes left, NaN where its split says. Const calls are safe to share.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace attune {

struct TreeNode {
  float at = 0;            // a split's bound, or a leaf's value
  float cover = 1;         // weight of the rows learned from that came here, above 0
  std::uint32_t left = 0;  // of the array; the right one follows it; 0 = a leaf
  std::uint16_t column = 0;
  bool is_missing_left = false;
};

class TreeEnsemble {
 public:
  static constexpr std::size_t kMostDepth = 64;  // splits above a leaf
  static constexpr std::size_t kMostColumns = 65'535;
  static constexpr std::size_t kMostNodes = std::size_t{1} << 28;

  TreeEnsemble() = default;
  // base: added to every sum.
  TreeEnsemble(double base, std::size_t columns) : base_(base), mean_(base), columns_(columns) {}
  // A tree whose root is at 0 and whose nodes refer to each other. False, and nothing is added,
  // when it is no tree, too deep, or a number in it is not allowed.
  bool add(std::span<const TreeNode> nodes);

  // A missing value of a column goes where this number of it goes; one for each of columns().
  void send_missing(std::span<const float> with);

  std::size_t size() const { return roots_.size(); }
  std::size_t columns() const { return columns_; }
  double base() const { return base_; }
  std::size_t memory_bytes() const;
  // of: columns() values.
  double sum(std::span<const float> of) const;
  // The mean of sum() over the rows learned from, as the covers tell it.
  double mean() const { return mean_; }
  // Adds to each place of `out` (columns() of them) what that column did to sum(), exactly: Shapley
  // values over the paths of the trees (Lundberg, Erion and Lee 2018, algorithm 2); with mean()
  // they sum to sum(). O(leaves * depth^2) a tree.
  void attribute(std::span<const float> of, std::span<double> out) const;

  // Tree by tree, each node before its left, then its right side.
  void encode(std::string& out) const;
  // False when the bytes are no ensemble over so many columns.
  bool restore(Reader& reader, std::size_t columns);

 private:
  void settle_mean(std::uint32_t root);

  double base_ = 0, mean_ = 0;  // mean_ has base_ in it
  std::size_t columns_ = 0;
  std::vector<std::uint32_t> roots_;
  std::vector<TreeNode> nodes_;
};

}  // namespace attune
