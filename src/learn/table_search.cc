#include "learn/table_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/hash.h"
#include "base/rng.h"
#include "learn/search_subject.h"
#include "learn/table_learner.h"
#include "learn/table_split.h"

namespace attune {
namespace {

constexpr std::size_t kMostHeld = 20'000;  // more rows to judge by tell little more

std::vector<std::uint32_t> shuffled(std::vector<std::uint32_t> rows, std::uint64_t seed) {
  Rng rng(seed);
  rng.shuffle(rows);
  return rows;
}

// Of a split of a table, drawn from all over: the first rows of a file may be of one day.
class TableSearchRows final : public SearchRows {
 public:
  TableSearchRows(const LoadedTable& table, const Plan& plan, const Split& split,
                  const FurtherTargets& further, std::uint64_t seed)
      : table_(table),
        plan_(plan),
        further_(further),
        learned_(shuffled(split.train, seed)),
        held_(shuffled(split.test, seed)) {
    for (const auto* side : {&split.train, &split.test}) {
      fingerprint_ = mix64(fingerprint_, side->size());
      for (const std::uint32_t row : *side) fingerprint_ = mix64(fingerprint_, row);
    }
    held_.resize(std::min(held_.size(), kMostHeld));
  }

  std::size_t rows() const override { return learned_.size(); }
  std::size_t held_rows() const override { return held_.size(); }
  std::uint64_t fingerprint() const override { return fingerprint_; }

  bool takes(const std::string& kind) const override {
    return !needs_sequences(kind) ||
           std::ranges::any_of(plan_.features, [](const auto& f) { return !f.as.empty(); });
  }

  Result<SearchMaterial> make(const std::string& kind, std::size_t rows) const override {
    const auto first = std::span(learned_).first(rows);
    TRY(MadeRows made, make_rows(table_, plan_, first, kind));
    SearchMaterial out;
    out.held = made.more(table_, held_);
    out.learned = std::move(made.examples);
    out.inputs = made.model_inputs;
    out.sequences = std::move(made.sequences);
    if (further_.empty()) return out;
    further_.add_labels(table_, first, out.learned);
    further_.add_labels(table_, held_, out.held);
    return out;
  }

 private:
  const LoadedTable& table_;
  const Plan& plan_;
  const FurtherTargets& further_;
  std::vector<std::uint32_t> learned_, held_;
  std::uint64_t fingerprint_ = 0;
};

SearchOptions search_options(const TableTrainingOptions& options, const Target& target,
                             const SearchedSplits& where, TrialLog* log) {
  SearchOptions as;
  as.log = log;
  as.kinds = options.kinds;
  as.settings = options.search->settings;
  as.budget_s = options.search->budget_s / static_cast<double>(where.splits.size());
  as.memory_bytes = options.search->memory_bytes;
  as.threads = options.search->threads;
  as.is_binary = target.is_binary;
  as.model = options.model;
  as.model.tasks = where.further->tasks();
  as.clock_s = options.clock_s;
  as.on_stage = options.on_stage;
  return as;
}

}  // namespace

const SearchCandidate* TableSearch::best(std::string_view kind, std::size_t split) const {
  if (is_empty()) return nullptr;
  for (const SearchResult* result : {&of_splits_[split], &of_splits_.back()}) {
    for (const SearchCandidate* best : result->best_of_kinds()) {
      if (best->kind == kind) return best;
    }
  }
  return nullptr;
}

const char* default_kind(const Target& target, bool is_joint) {
  if (is_joint) return "fwfm";
  return target.is_binary ? "ftrl" : "linear";
}

Result<TableSearch> search_splits(const TableTrainingOptions& options,
                                  const LabelledTable& labelled, const Plan& plan,
                                  const SearchedSplits& where, TrainReport& report) {
  std::optional<TrialLog> log;
  if (!options.search->resume.empty()) {
    TRY(log, TrialLog::open(options.search->resume, search_subject(options, labelled, plan)));
  }
  const SearchOptions as = search_options(options, labelled.target, where, log ? &*log : nullptr);
  std::vector<SearchResult> out;
  for (const Split& split : where.splits) {
    const auto inner = split_rows(labelled, split.train,
                                  {.time_column = options.time_column,
                                   .seed = options.model.seed + 1,
                                   .groups = where.groups});
    if (!inner.ok() || inner->splits[0].test.size() < kFewestHeldRows) {
      const bool is_joint = !where.further->empty() || options.model.second_loss.weight > 0;
      report.warnings.push_back(fmt::format(
          "{0} rows are too few to choose a kind of model by: it is {1}, as --kind {1} would have "
          "it",
          split.train.size(), default_kind(labelled.target, is_joint)));
      return TableSearch();
    }
    const TableSearchRows rows(labelled.table, plan, inner->splits[0], *where.further,
                               options.model.seed);
    TRY(SearchResult found, search_models(rows, as));
    out.push_back(std::move(found));
  }
  report.choice = choice_report(out.back());
  const std::vector<std::string>& notes = out.back().notes;
  report.warnings.insert(report.warnings.end(), notes.begin(), notes.end());
  return TableSearch(std::move(out));
}

}  // namespace attune
