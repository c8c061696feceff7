// Model search: which kind of model, with which settings, is best on rows held back for choosing.
// Successive halving (Jamieson and Talwalkar 2016): all candidates learn from few rows, the better
// third of each kind from three times as many, the best of each from all. Cost is counted in rows,
// so that the same seed chooses the same model on every machine. One thread.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "learn/fit.h"
#include "learn/split.h"
#include "learn/table_learner.h"
#include "learn/trial_log.h"
#include "stat/metrics.h"

namespace attune {

struct SearchOptions {
  std::vector<std::string> kinds;  // none: all that fit the target
  std::size_t settings = 6;        // of each kind, the first its own
  double budget_s = 60;  // what it may take, about; decides how many rows are learned from
  std::uint64_t memory_bytes = 0;  // of one model; 0 = as its kind has it
  bool is_binary = true;
  ModelOptions model;  // but for kind and settings
  // With model.tasks: learned with the target, and judged by the sum of their log losses, weighed.
  const FurtherTargets* further = nullptr;
  // Where it is past budget_s after all, nothing more is begun, which is said.
  std::function<double()> clock_s;
  std::function<void(std::string_view stage, const FitProgress&)> on_stage;
  // Trials it knows are not made again; each further one is added to it.
  TrialLog* log = nullptr;
};

struct Candidate {
  std::string kind;
  std::vector<std::pair<std::string, double>> settings;  // empty: the kind's own
  std::size_t rows = 0;                                  // learned from, of the last it was given
  std::size_t passes = 0;                                // best
  double loss = 0;  // mean of the rows held back, by weight: log loss, of several targets their
                    // weighed sum, or square
  std::optional<Interval> interval;  // 95 %, normal
  std::vector<float> losses = {};    // of each row held back
};

struct SearchResult {
  std::vector<Candidate> candidates;  // most rows first, then least loss: the first is chosen
  std::size_t held_rows = 0;
  double baseline = 0;             // loss of saying the base rate or the mean
  std::uint64_t rows_learned = 0;  // over all candidates and passes
  std::vector<std::string> notes;  // what was not tried, and why
  std::string reason;              // why the first was chosen, in words
  // The best of each kind that was tried to the end, in order.
  std::vector<const Candidate*> best_of_kinds() const;
};

inline constexpr std::size_t kFewestHeldRows = 50;  // fewer choose nothing

// split: of the rows to learn from; learned from and judged on. kInvalid: no kind fits.
Result<SearchResult> search_models(const LoadedTable& table, const Plan& plan, const Split& split,
                                   const SearchOptions& options);

// Tables of weights, or of gathered rows, below so many bytes; 0 = as they are.
void limit_memory(std::uint64_t bytes, ModelOptions& options);

// "depth=4 l2=0.5"; "its own settings" of none.
std::string settings_text(const std::vector<std::pair<std::string, double>>& settings);

}  // namespace attune
