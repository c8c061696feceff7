// The search for kind and settings of a table training: one for each split, by rows held back from
// those it learns from. One thread.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "learn/labelled_table.h"
#include "learn/model_search.h"
#include "learn/split.h"
#include "learn/table_training.h"

namespace attune {

// What was found; const calls only.
class TableSearch {
 public:
  TableSearch() = default;
  explicit TableSearch(std::vector<SearchResult> of_splits) : of_splits_(std::move(of_splits)) {}
  bool is_empty() const { return of_splits_.empty(); }  // nothing was searched
  const SearchResult& last() const { return of_splits_.back(); }
  // The best of a kind in the search of a split; of the last one where it was not tried there. Null
  // where it was in neither.
  const SearchCandidate* best(std::string_view kind, std::size_t split) const;

 private:
  std::vector<SearchResult> of_splits_;
};

struct SearchedSplits {
  std::span<const Split> splits;
  std::span<const std::uint32_t> groups;  // of each row; empty = none
  const FurtherTargets* further;          // learned with the target; may be empty
};

// options.search is there. Empty, and the report says so, where rows are too few. With folds each
// chooses for itself; what the report says of the choice is that of the last.
Result<TableSearch> search_splits(const TableTrainingOptions& options,
                                  const LabelledTable& labelled, const Plan& plan,
                                  const SearchedSplits& where, TrainReport& report);

// What is learned where no kind is named and nothing chooses one; is_joint: of several targets, or
// with a second loss.
const char* default_kind(const Target& target, bool is_joint);

}  // namespace attune
