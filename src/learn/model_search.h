// Model search: which kind of model, with which settings, is best on rows held back for choosing.
// Successive halving of the settings of each kind (Jamieson and Talwalkar 2016): all learn from few
// rows, the better third from three times as many, then the best alone from three times as many
// again, up to all. The kind that has had least time goes on, so that within a budget each has the
// same time: fast ones learn from more rows. Same seed, same choice, where there is time for all
// rows; else the machine's speed decides too, which is said. Trials may run on several threads,
// with the same choice.
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
#include "learn/search_rows.h"
#include "learn/train_report.h"
#include "learn/trial_log.h"
#include "stat/metrics.h"

namespace attune {

struct SearchOptions {
  std::vector<std::string> kinds;  // none: all that fit the target
  std::size_t settings = 6;        // of each kind, the first its own
  double budget_s = 60;            // half of it for choosing, about
  std::uint64_t memory_bytes = 0;  // of one model; 0 = as its kind has it
  std::size_t threads = 1;         // trials at once
  bool is_binary = true;
  // But for kind and settings. With tasks: judged by the sum of their log losses, weighed.
  ModelOptions model;
  std::function<double()> clock_s;  // absent: all the time there is; asked by any thread
  std::function<void(std::string_view stage, const FitProgress&)> on_stage;
  // Trials it knows are not made again; each further one is added to it.
  TrialLog* log = nullptr;
};

struct SearchCandidate {
  std::string kind;
  std::vector<std::pair<std::string, double>> settings = {};  // empty: the kind's own
  std::size_t rows = 0;                                       // of the last stage it was in
  std::size_t passes = 0;                                     // best
  double loss = 0;  // mean of the rows held back, by weight: log loss, of several targets their
                    // weighed sum, or square
  std::optional<Interval> interval = {};  // 95 %, normal
  double seconds = 0;                     // what its last trial took, judging included
  bool is_finalist = false;               // the best of its kind, judged by all rows held back
  std::vector<float> losses = {};         // of each row it was judged by
};

struct SearchResult {
  // Finalists first, by loss: the first is chosen. Then by rows, most first.
  std::vector<SearchCandidate> candidates;
  std::size_t held_rows = 0;
  double baseline = 0;             // loss of saying the base rate or the mean
  std::uint64_t rows_learned = 0;  // over all candidates and passes
  std::vector<std::string> notes;  // what was not tried, and why
  std::string reason;              // why the first was chosen, in words
  // The finalist of each kind that has one, in order. Where no kind has, the best of the kinds that
  // learned from most rows.
  std::vector<const SearchCandidate*> best_of_kinds() const;
};

// As a report tells it.
ChoiceReport choice_report(const SearchResult& found);

inline constexpr std::size_t kFewestHeldRows = 50;  // fewer choose nothing

// kInvalid: no kind fits.
Result<SearchResult> search_models(const SearchRows& rows, const SearchOptions& options);

// Tables of weights, or of gathered rows, below so many bytes; 0 = as they are.
void limit_memory(std::uint64_t bytes, ModelOptions& options);

// "depth=4 l2=0.5"; "its own settings" of none.
std::string settings_text(const std::vector<std::pair<std::string, double>>& settings);

}  // namespace attune
