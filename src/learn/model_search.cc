#include "learn/model_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "learn/row_losses.h"
#include "learn/search_space.h"
#include "learn/table_learner.h"

namespace attune {
namespace {

constexpr double kShareForSearch = 0.5;  // of the budget; the rest learns from all rows at the end
constexpr double kShareForRunOff = 0.25;
constexpr std::size_t kFewestRows = 500;       // of a stage, if there are so many
constexpr std::size_t kMostFirstRows = 4'000;  // of the first stage
constexpr std::size_t kMostRows = 500'000;     // that are held in memory as each kind takes them
constexpr std::size_t kFewestRowsOfExtra = 10'000;
constexpr std::size_t kFewestJudged = 4'000;  // rows held back that an early stage is judged by
constexpr std::size_t kFactor = 3;
constexpr std::size_t kFinal = 2;     // the stage from which on one of each kind is left
constexpr double kWorthTrying = 1.5;  // times as many rows as before

// How far a kind is.
struct Ladder {
  const SearchKind* kind;
  std::vector<std::size_t> alive = {};  // of Search::candidates_, that are in the stage
  std::size_t stage = 0, next = 0;      // the next to try is alive[next]
  std::size_t rows = 0;                 // of the last trial
  double row_s = 0;                     // what a row took then, all passes and judging included
  std::vector<double> losses = {};      // the least of each stage; NaN of those it was not in
  double spent_s = 0;
  bool is_done = false;
  bool is_busy = false;  // a trial is being made
};

class Search {
 public:
  Search(const SearchRows& rows, const SearchOptions& options)
      : rows_(rows), options_(options), stages_(stages_of(std::min(rows.rows(), kMostRows))) {}

  Result<SearchResult> run() {
    TRY_OK(begin());
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < options_.threads; ++i) others.emplace_back([this] { work(); });
    work();
    others.clear();  // when they have ended
    TRY_OK(std::move(fault_));
    Lock lock(mutex_);
    TRY_OK(run_off(lock));
    TRY_OK(finish());
    return std::move(out_);
  }

 private:
  // All members are read and written under it, but for those of a trial while it is made.
  using Lock = std::unique_lock<std::mutex>;

  double now() const { return options_.clock_s ? options_.clock_s() : 0; }

  // Of each thread: trial after trial.
  void work() {
    Lock lock(mutex_);
    while (fault_.ok()) {
      Ladder* const ladder = next_ladder();
      if (ladder == nullptr && !is_any_busy()) break;
      if (ladder == nullptr) {
        changed_.wait(lock);
        continue;
      }
      ladder->is_busy = true;
      Status done = step(*ladder, lock);
      ladder->is_busy = false;
      if (!done.ok()) fault_ = std::move(done);
      changed_.notify_all();
    }
  }

  bool is_any_busy(bool even_if_it_waits = true) const {
    return std::ranges::any_of(ladders_, [&](const Ladder& one) {
      return one.is_busy && (even_if_it_waits || !waits(*one.kind));
    });
  }

  // Rows of each stage: three times those of the one before, in the last all.
  static std::vector<std::size_t> stages_of(std::size_t rows) {
    std::vector<std::size_t> stages = {rows};
    while (stages.front() / kFactor >= kFewestRows &&
           (stages.size() <= kFinal || stages.front() > kMostFirstRows)) {
      stages.insert(stages.begin(), stages.front() / kFactor);
    }
    return stages;
  }

  Status begin() {
    TRY_OK(check_named());
    for (const SearchKind& kind : search_kinds()) {
      if (!fits(kind)) continue;
      Ladder ladder{&kind};
      for (std::size_t i = 0; i < options_.settings; ++i) {
        ladder.alive.push_back(candidates_.size());
        candidates_.push_back({.kind = std::string(kind.kind),
                               .settings = settings_to_try(kind, i, options_.model.seed),
                               .loss = std::numeric_limits<double>::infinity()});
      }
      ladders_.push_back(std::move(ladder));
    }
    if (!ladders_.empty()) return ok_status();
    return Error{Code::kInvalid,
                 fmt::format("no kind that was named can be tried on these rows: {}",
                             fmt::join(options_.kinds, ", ")),
                 "kind", "leave out --kind, or name others"};
  }

  // Of those that were named: each is one that is searched for; what does not fit is noted.
  Status check_named() {
    std::vector<std::string> known;
    for (const SearchKind& kind : search_kinds()) known.emplace_back(kind.kind);
    for (const std::string& name : options_.kinds) {
      const auto at = std::ranges::find(search_kinds(), name, &SearchKind::kind);
      if (at == search_kinds().end()) {
        return Error{Code::kInvalid, fmt::format("kind {} is none that is searched for", name),
                     "kind", fmt::format("there are {}", fmt::join(known, ", "))};
      }
      if (!fits(*at)) {
        out_.notes.push_back(fmt::format("{} was not tried: it is not for these rows", name));
      }
    }
    return ok_status();
  }

  bool is_joint() const {
    return !options_.model.tasks.empty() || options_.model.second_loss.weight > 0;
  }

  bool is_named(const SearchKind& kind) const {
    return std::ranges::find(options_.kinds, kind.kind) != options_.kinds.end();
  }

  bool fits(const SearchKind& kind) const {
    const std::string name(kind.kind);
    const bool fits_target = options_.is_binary ? kind.is_for_yes_no : kind.is_for_numbers;
    if (!fits_target || (is_joint() && !takes_tasks(name)) || !rows_.takes(name)) return false;
    if (!options_.kinds.empty() || kind.when == SearchWhen::kNamed) return is_named(kind);
    return !waits(kind) || rows_.rows() >= kFewestRowsOfExtra;
  }

  // A slow one is tried once all others have been, while there is time.
  bool waits(const SearchKind& kind) const {
    return kind.when == SearchWhen::kLater && !is_joint() && !is_named(kind);
  }

  // The kind that took least time so far; null: no time is left, or nothing to try.
  Ladder* next_ladder() {
    Ladder* next = nullptr;
    for (Ladder& ladder : ladders_) {
      if (ladder.is_done || ladder.is_busy) continue;
      if (waits(*ladder.kind) && (is_cut_short_ || is_any_busy(false))) continue;
      const bool is_sooner =
          next == nullptr || waits(*ladder.kind) < waits(*next->kind) ||
          (waits(*ladder.kind) == waits(*next->kind) && ladder.spent_s < next->spent_s);
      if (is_sooner) next = &ladder;
    }
    // Something must come of it, even late.
    if (next == nullptr || spent_s_ == 0 || left_s() > 0) return next;
    is_cut_short_ = true;
    return nullptr;
  }

  double left_s() const {
    return options_.budget_s * kShareForSearch * static_cast<double>(options_.threads) - spent_s_;
  }

  // The next trial of a kind, if there is time for it; with fewer rows, if only for these.
  Status step(Ladder& ladder, Lock& lock) {
    SearchCandidate& one = candidates_[ladder.alive[ladder.next]];
    std::size_t rows = stages_[ladder.stage];
    if (options_.clock_s && ladder.row_s * static_cast<double>(rows) > left_s() &&
        known(one, rows) == nullptr) {
      is_cut_short_ = ladder.is_done = true;
      rows = static_cast<std::size_t>(std::max(0.0, left_s()) / ladder.row_s);
      const bool is_worth_it =
          is_final(ladder.stage) &&
          static_cast<double>(rows) > kWorthTrying * static_cast<double>(ladder.rows);
      if (!is_worth_it) return ok_status();
    }
    TRY_OK(make_trial(ladder, rows, lock));
    if (!ladder.is_done && ++ladder.next == ladder.alive.size()) climb(ladder);
    return ok_status();
  }

  Status make_trial(Ladder& ladder, std::size_t rows, Lock& lock) {
    SearchCandidate& one = candidates_[ladder.alive[ladder.next]];
    say(one, rows);
    one.is_finalist = is_final(ladder.stage);
    TRY(const double took_s, tried(one, rows, lock));
    spent_s_ += took_s;
    ladder.spent_s += took_s;
    ladder.rows = rows;
    ladder.row_s = took_s / static_cast<double>(rows);
    ladder.losses.resize(ladder.stage + 1, NAN);
    if (rows != stages_[ladder.stage]) return ok_status();
    ladder.losses.back() = std::fmin(ladder.losses.back(), one.loss);
    return ok_status();
  }

  // A kind whose time ended before it had all rows, and which would be the best if it gained by
  // them what the best gained, is tried on all while there is time. What it then says counts.
  Status run_off(Lock& lock) {
    const double until_s = spent_s_ + options_.budget_s * kShareForRunOff;
    while (const Ladder* const leader = best_on_all()) {
      Ladder* rival = nullptr;
      double least = leader->losses.back();
      for (Ladder& one : ladders_) {
        const double expected = expected_on_all(one, *leader);
        const double takes_s = one.row_s * static_cast<double>(stages_.back());
        if (!(expected < least) || spent_s_ + takes_s > until_s) continue;
        rival = &one;
        least = expected;
      }
      if (rival == nullptr) break;
      while (rival->stage + 1 < stages_.size()) climb(*rival);
      TRY_OK(make_trial(*rival, stages_.back(), lock));
    }
    return ok_status();
  }

  bool has_all(const Ladder& ladder) const {
    return ladder.losses.size() == stages_.size() && !std::isnan(ladder.losses.back());
  }

  const Ladder* best_on_all() const {
    const Ladder* best = nullptr;
    for (const Ladder& one : ladders_) {
      if (!has_all(one)) continue;
      if (best == nullptr || one.losses.back() < best->losses.back()) best = &one;
    }
    return best;
  }

  // NaN where nothing is known to expect it by.
  double expected_on_all(const Ladder& one, const Ladder& leader) const {
    if (has_all(one)) return NAN;
    for (std::size_t stage = one.losses.size(); stage-- > 0;) {
      if (std::isnan(one.losses[stage])) continue;
      return one.losses[stage] - (leader.losses[stage] - leader.losses.back());
    }
    return NAN;
  }

  // From here on one candidate is tried, and judged by all rows held back.
  bool is_final(std::size_t stage) const { return stage >= std::min(kFinal, stages_.size() - 1); }

  // A third of the settings goes on, at last one.
  void climb(Ladder& ladder) {
    if (ladder.stage + 1 == stages_.size()) {
      ladder.is_done = true;
      return;
    }
    ++ladder.stage;
    std::ranges::stable_sort(ladder.alive, {},
                             [this](std::size_t i) { return candidates_[i].loss; });
    const std::size_t kept = is_final(ladder.stage) ? 1 : (ladder.alive.size() + 2) / kFactor;
    ladder.alive.resize(kept);
    ladder.next = 0;
  }

  void say(const SearchCandidate& one, std::size_t rows) const {
    if (!options_.on_stage) return;
    FitProgress progress;
    const auto done = static_cast<double>(
        std::ranges::count_if(ladders_, [](const auto& l) { return l.is_done; }));
    progress.share = std::max(done / static_cast<double>(ladders_.size()),
                              std::min(1.0, spent_s_ / (options_.budget_s * kShareForSearch)));
    options_.on_stage(fmt::format("choosing: {} on {} rows", one.kind, rows), progress);
  }

  // Trees need no bins, mlp numbered inputs, kinds over fields their number; the others take rows
  // as they are.
  static const char* way_of(const std::string& kind) {
    return needs_inputs(kind)   ? "inputs"
           : is_tree_kind(kind) ? "trees"
           : reads_fields(kind) ? "fields"
                                : "";
  }

  // Made once for all candidates of a stage that take them alike; of its rows alone, so that what
  // they say does not depend on who came before.
  Result<std::shared_ptr<const SearchMaterial>> material(const std::string& kind,
                                                         std::size_t rows) {
    std::shared_ptr<const SearchMaterial>& known = materials_[{way_of(kind), rows}];
    if (known != nullptr) return known;
    const double begin_s = now();
    TRY(SearchMaterial made, rows_.make(kind, rows));
    known = std::make_shared<const SearchMaterial>(std::move(made));
    // Nobody else gets any further meanwhile.
    spent_s_ += (now() - begin_s) * static_cast<double>(options_.threads);
    return known;
  }

  Result<std::unique_ptr<Model>> model_of(const SearchCandidate& one,
                                          const SearchMaterial& material) const {
    ModelOptions options = options_for(options_.model, one.kind, one.settings, options_.is_binary);
    limit_memory(options_.memory_bytes, options);
    options.inputs = material.inputs;
    options.sequences = material.sequences;
    return make_model(options);
  }

  SearchTrial trial_of(const SearchCandidate& one, std::size_t rows) const {
    SearchTrial trial;
    trial.search = rows_.fingerprint();
    trial.kind = one.kind;
    trial.settings = one.settings;
    trial.rows = rows;
    return trial;
  }

  const SearchTrial* known(const SearchCandidate& one, std::size_t rows) const {
    return options_.log == nullptr ? nullptr : options_.log->find(trial_of(one, rows));
  }

  // Makes a trial, unless an earlier run did; gives the seconds it took.
  Result<double> tried(SearchCandidate& one, std::size_t rows, Lock& lock) {
    if (const SearchTrial* const before = known(one, rows)) {
      out_.rows_learned += before->rows_learned;
      one.rows = rows;
      one.passes = before->passes;
      one.loss = before->loss;
      one.losses = before->losses;
      one.interval = before->interval;
      one.seconds = before->seconds;
      return one.seconds;
    }
    TRY(const std::shared_ptr<const SearchMaterial> material, this->material(one.kind, rows));
    lock.unlock();
    const Result<std::uint64_t> learned = attempt(one, rows, *material);
    lock.lock();
    if (!learned.ok()) return learned.error();
    out_.rows_learned += *learned;
    if (options_.log == nullptr) return one.seconds;
    SearchTrial trial = trial_of(one, rows);
    trial.rows_learned = *learned;
    trial.passes = one.passes;
    trial.loss = one.loss;
    trial.interval = one.interval;
    trial.seconds = one.seconds;
    // Others are not compared row by row.
    if (one.losses.size() == rows_.held_rows()) trial.losses = one.losses;
    TRY_OK(options_.log->add(std::move(trial)));
    return one.seconds;
  }

  // Learns from the first `rows` and judges after each pass; gives how many rows that were. Reads
  // nothing that another trial writes.
  Result<std::uint64_t> attempt(SearchCandidate& one, std::size_t rows,
                                const SearchMaterial& material) const {
    const double begin_s = now();
    TRY(const auto model, model_of(one, material));
    MemoryBlocks learned(material.learned, every_row(rows));
    learned.shuffled(options_.model.seed);
    const std::size_t all = material.held.size();
    const std::size_t judged = one.is_finalist ? all : std::min(all, std::max(kFewestJudged, rows));
    MemoryBlocks held(material.held, every_row(judged));
    double least = std::numeric_limits<double>::infinity();
    const auto judge = [&]() -> Result<double> {
      TRY(std::vector<float> losses, row_losses(*model, held));
      const double mean = mean_of(losses);
      if (mean < least) {
        least = mean;
        one.losses = std::move(losses);
      }
      return mean;
    };
    FitOptions how{.passes = TableLearnOptions::kMostPasses, .validate = judge, .patience = 3};
    TRY(const FitReport report, fit(*model, learned, how));
    one.rows = rows;
    one.passes = report.best_passes;
    one.loss = least;
    one.interval = interval_of(one.losses);
    one.seconds = now() - begin_s;
    return report.rows * report.validations.size();
  }

  // Of a kind that got no further: the best of its last stage, if all rows held back judged it.
  void take_as_finalist(const Ladder& ladder) {
    SearchCandidate* best = nullptr;
    for (SearchCandidate& one : candidates_) {
      if (one.kind != ladder.kind->kind || one.rows != ladder.rows) continue;
      if (one.is_finalist) return;
      if (best == nullptr || one.loss < best->loss) best = &one;
    }
    if (best != nullptr && best->losses.size() == rows_.held_rows()) best->is_finalist = true;
  }

  Status finish() {
    // Rows to count the baseline on, also where every trial was made before.
    TRY(baseline_, material(std::string(ladders_.front().kind->kind), stages_.back()));
    out_.held_rows = rows_.held_rows();
    for (const Ladder& ladder : ladders_) take_as_finalist(ladder);
    std::erase_if(candidates_, [](const SearchCandidate& one) { return one.rows == 0; });
    std::ranges::stable_sort(candidates_, [](const SearchCandidate& a, const SearchCandidate& b) {
      if (a.is_finalist != b.is_finalist) return a.is_finalist;
      return a.is_finalist || a.rows == b.rows ? a.loss < b.loss : a.rows > b.rows;
    });
    out_.candidates = std::move(candidates_);
    out_.baseline = baseline();
    out_.reason = reason();
    note_what_was_cut_short();
    for (SearchCandidate& one : out_.candidates) one.losses.clear();
    return ok_status();
  }

  void note_what_was_cut_short() {
    if (!is_cut_short_) return;
    std::vector<std::string> less;
    for (const Ladder& ladder : ladders_) {
      if (ladder.rows == stages_.back() || waits(*ladder.kind)) continue;
      less.push_back(fmt::format("{} on {}", ladder.kind->kind, ladder.rows));
    }
    if (less.empty()) return;
    out_.notes.push_back(
        fmt::format("the time for choosing ended before each kind was tried on all {} rows ({}): "
                    "another run may choose another model; --budget-seconds allows more",
                    stages_.back(), fmt::join(less, ", ")));
  }

  // Loss of saying of every row held back what the mean of those learned from is.
  double baseline() const {
    const std::vector<TaskOptions>& tasks = options_.model.tasks;
    if (tasks.empty()) return baseline_of(0);
    double sum = 0;
    for (std::size_t t = 0; t < tasks.size(); ++t) sum += tasks[t].weight * baseline_of(t);
    return sum;
  }

  double baseline_of(std::size_t task) const {
    const auto& [learned, held, inputs, sequences] = *baseline_;
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i < learned.size(); ++i) {
      const float label = learned.label(i, task);
      if (std::isnan(label)) continue;
      sum += double{learned.weight(i)} * double{label};
      weights += double{learned.weight(i)};
    }
    const double mean = weights > 0 ? sum / weights : 0, p = std::clamp(mean, 1e-7, 1 - 1e-7);
    double loss = 0;
    weights = 0;
    for (std::size_t i = 0; i < held.size(); ++i) {
      const double y = double{held.label(i, task)}, w = double{held.weight(i)};
      if (std::isnan(y)) continue;
      loss += w * (options_.is_binary ? -std::log(y > 0.5 ? p : 1 - p) : (y - mean) * (y - mean));
      weights += w;
    }
    return weights > 0 ? loss / weights : 0;
  }

  std::string reason() const {
    const SearchCandidate& best = out_.candidates.front();
    const char* measure = !options_.model.tasks.empty() ? "joint log loss"
                          : options_.is_binary          ? "log loss"
                                                        : "rmse";
    const auto shown = [&](double loss) { return options_.is_binary ? loss : std::sqrt(loss); };
    std::string text = fmt::format(
        "{} with {} was chosen: its {} of {:.5g} is the lowest on {} rows held back for choosing "
        "(without a model {:.5g})",
        best.kind, settings_text(best.settings), measure, shown(best.loss), out_.held_rows,
        shown(out_.baseline));
    const auto best_of = out_.best_of_kinds();
    if (best_of.size() < 2) return text + "; no other kind was tried to the end";
    const SearchCandidate& next = *best_of[1];
    std::vector<float> differences;
    for (std::size_t i = 0; i < best.losses.size(); ++i) {
      differences.push_back(best.losses[i] - next.losses[i]);
    }
    const auto interval = interval_of(differences);
    const bool is_clear = interval && interval->high < 0;
    text += fmt::format("; {} comes next with {:.5g}", next.kind, shown(next.loss));
    return text + (is_clear ? ", clearly worse: on the same rows the difference is more than chance"
                            : ", no clear difference: on the same rows it may be chance");
  }

  const SearchRows& rows_;
  const SearchOptions& options_;
  const std::vector<std::size_t> stages_;  // rows of each, rising
  std::vector<Ladder> ladders_;            // of each kind
  std::vector<SearchCandidate> candidates_;
  std::map<std::pair<std::string_view, std::size_t>, std::shared_ptr<const SearchMaterial>>
      materials_;                                   // by the way they are taken and how many
  std::shared_ptr<const SearchMaterial> baseline_;  // the rows it is counted on
  double spent_s_ = 0;                              // by all threads
  bool is_cut_short_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  Status fault_ = ok_status();  // the first
  SearchResult out_;
};

}  // namespace

Result<SearchResult> search_models(const SearchRows& rows, const SearchOptions& options) {
  CHECK(rows.rows() > 0 && options.settings > 0);
  return Search(rows, options).run();
}

}  // namespace attune
