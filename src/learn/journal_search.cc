#include "learn/journal_search.h"

#include <algorithm>

#include "base/rng.h"
#include "feature/row.h"
#include "learn/row_range.h"
#include "learn/trained.h"

namespace attune {
namespace {

constexpr double kHeldBack = 0.2;
constexpr std::size_t kMostHeld = 20'000;
constexpr std::size_t kRowBytes =
    1500;  // about: 64 features, and as much for each way to make them

}  // namespace

Result<JournalSearchRows> JournalSearchRows::read(OutcomeSource& source, std::uint64_t rows,
                                                  std::vector<SequenceField> sequences,
                                                  const JournalSearchOptions& options) {
  JournalSearchRows out;
  out.sequences_ = std::move(sequences);
  std::uint64_t most = kMostJournalSearchRows;
  if (options.bytes > 0) most = std::min(most, options.bytes / kRowBytes);
  RowRange latest(source, rows - std::min(rows, most), rows);
  TRY_OK(latest.begin(0));
  Examples block;
  while (true) {
    TRY(const bool has_rows, latest.next(block));
    if (!has_rows) break;
    for (std::size_t row = 0; row < block.size(); ++row) append_row(block, row, out.all_);
  }
  const auto all = static_cast<std::uint32_t>(out.all_.size());
  const auto held = static_cast<std::uint32_t>(
      std::min(static_cast<double>(kMostHeld), kHeldBack * static_cast<double>(all)));
  for (std::uint32_t row = 0; row < all; ++row) {
    (row + held < all ? out.learned_ : out.held_).push_back(row);
  }
  // The first of either stand for all of them.
  Rng rng(options.seed);
  rng.shuffle(out.learned_);
  rng.shuffle(out.held_);
  return out;
}

bool JournalSearchRows::takes(const std::string& kind) const {
  return !is_tree_kind(kind) && !needs_inputs(kind) &&
         !(needs_sequences(kind) && sequences_.empty());
}

Result<SearchMaterial> JournalSearchRows::make(const std::string& kind, std::size_t rows) const {
  SearchMaterial out;
  out.inputs = kLiveFields;
  if (takes_sequences(kind)) out.sequences = sequences_;
  for (std::size_t i = 0; i < rows; ++i) append_row(all_, learned_[i], out.learned);
  for (const std::uint32_t row : held_) append_row(all_, row, out.held);
  return out;
}

}  // namespace attune
