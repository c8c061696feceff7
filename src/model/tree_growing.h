// Growing trees: XGBoost's histogram method (Chen and Guestrin 2016) on gathered rows. Same rows,
// options and library, same trees.
#pragma once
#include <cstdint>

#include "base/result.h"
#include "model/gathered_rows.h"
#include "model/tree_ensemble.h"

namespace attune {

struct TreeGrowing {
  bool is_logistic = true;  // leaves are logits; else squared error, leaves are numbers
  // Leaves are scores that order the rows of a group, whatever is_logistic says (LambdaMART, Burges
  // 2010): grades by NDCG, other numbers by pairs; NDCG at 10 of groups held back says when to
  // stop. A group weighs what its rows do on average.
  bool is_ranking = false;
  std::size_t rounds = 1;           // at most
  std::size_t trees_per_round = 1;  // whose mean counts
  // Stops when the loss of the last tenth of the rows, held back, has not fallen for so many
  // rounds; then all rows are learned from for the best number of rounds. 0 = all rounds are made.
  std::size_t patience = 0;
  // With patience: the mean of so many models counts, each holding back another part of the rows,
  // so that all are learned from; 1 = as said above.
  std::size_t bags = 1;
  // Every second of them has trees of 31 leaves, the best split first, of all rows and none lighter
  // than 10, of the columns that were given alone, whatever depth, leaves, row_share and has_sums
  // say: the two shapes err in other places.
  bool is_mixed = false;
  bool has_sums = true;  // with the columns that are made of others
  double learning_rate = 1;
  std::size_t depth = 6;    // splits above a leaf, in [1, TreeEnsemble::kMostDepth]
  std::size_t leaves = 0;   // of a tree; the best split first; 0 = by depth alone
  double min_weight = 1;    // of the rows in a leaf: of squared error their weights, else p (1 - p)
  double min_gain = 0;      // of a split
  double l1 = 0, l2 = 1;    // on leaves
  double row_share = 1;     // drawn for each tree, in (0, 1]
  double column_share = 1;  // likewise
  double split_column_share = 1;  // drawn for each split
  std::size_t bins = 256;         // of a column
  std::size_t threads = 1;        // bags side by side, each on one of them; a single model on all
  std::uint64_t seed = 1;
};

struct GrownTrees {
  TreeEnsemble trees = {};
  std::size_t rounds = 0;
  bool is_still_falling = false;  // the loss held back was least in the last round there was
};

// kInvalid: no rows. kUnavailable: what the library says, of memory for example.
Result<GrownTrees> grow_trees(const GatheredRows& rows, const TreeGrowing& how);

}  // namespace attune
