// The rows of a journal that a search for kind and settings tries models on: the latest of those
// learned from, in memory, the very latest of them to judge by. Data once read; const calls are
// safe to share.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "learn/outcome_source.h"
#include "learn/search_rows.h"

namespace attune {

inline constexpr std::size_t kMostJournalSearchRows = 200'000;

struct JournalSearchOptions {
  std::uint64_t bytes = 0;  // fewer rows where they would take more; 0 = no limit
  std::uint64_t seed = 1;   // of the order they are learned from in
};

class JournalSearchRows final : public SearchRows {
 public:
  // Of the first `rows` of the source.
  static Result<JournalSearchRows> read(OutcomeSource& source, std::uint64_t rows,
                                        std::vector<SequenceField> sequences,
                                        const JournalSearchOptions& options);
  std::size_t rows() const override { return learned_.size(); }
  std::size_t held_rows() const override { return held_.size(); }
  // Kinds that can rank: what they learn goes on with every outcome, and has exact parts.
  bool takes(const std::string& kind) const override;
  std::uint64_t fingerprint() const override { return 0; }
  Result<SearchMaterial> make(const std::string& kind, std::size_t rows) const override;

 private:
  Examples all_;
  std::vector<std::uint32_t> learned_, held_;  // of all_
  std::vector<SequenceField> sequences_;
};

}  // namespace attune
