#include "learn/table_search.h"

#include <fmt/format.h>

#include <optional>

#include "learn/search_subject.h"
#include "learn/table_split.h"

namespace attune {
namespace {

SearchOptions search_options(const TableTrainingOptions& options, const Target& target,
                             const SearchedSplits& where, TrialLog* log) {
  SearchOptions as;
  as.log = log;
  as.kinds = options.kinds;
  as.settings = options.search->settings;
  as.budget_s = options.search->budget_s / static_cast<double>(where.splits.size());
  as.memory_bytes = options.search->memory_bytes;
  as.is_binary = target.is_binary;
  as.model = options.model;
  as.model.tasks = where.further->tasks();
  if (!where.further->empty()) as.further = where.further;
  as.clock_s = options.clock_s;
  as.on_stage = options.on_stage;
  return as;
}

void take_choice(const SearchResult& last, TrainReport& report) {
  report.choice = {.reason = last.reason,
                   .candidates = {},
                   .held_rows = last.held_rows,
                   .baseline = last.baseline};
  for (const Candidate& one : last.candidates) {
    report.choice.candidates.push_back(
        {one.kind, settings_text(one.settings), one.rows, one.passes, one.loss, one.interval});
  }
  report.warnings.insert(report.warnings.end(), last.notes.begin(), last.notes.end());
}

}  // namespace

const Candidate* TableSearch::best(std::string_view kind, std::size_t split) const {
  if (is_empty()) return nullptr;
  for (const SearchResult* result : {&of_splits_[split], &of_splits_.back()}) {
    for (const Candidate* best : result->best_of_kinds()) {
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
    TRY(SearchResult found, search_models(labelled.table, plan, inner->splits[0], as));
    out.push_back(std::move(found));
  }
  take_choice(out.back(), report);
  return TableSearch(std::move(out));
}

}  // namespace attune
