#include "learn/model_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/hash.h"
#include "learn/search_space.h"

namespace attune {
namespace {

// Rows of ftrl a second, on a slow machine that is shared.
constexpr double kRowsPerSecond = 400'000;
constexpr double kShareForSearch = 0.6;   // of the budget; the rest learns from all rows at the end
constexpr std::size_t kFewestRows = 500;  // of a stage, if there are so many
constexpr double kFewestRowsOfExtra = 10'000;
constexpr std::size_t kFactor = 3;
constexpr std::size_t kMostStages = 3;
constexpr int kFewestBits = 10;
constexpr std::uint64_t kMostRowBytes = 128;  // of a table of weights, of any kind searched
constexpr std::uint64_t kHeadBytes = 32;      // of it at most, for a further target

// Rows made once for all candidates that take them alike.
struct Material {
  MadeRows made;
  Examples held;
};

class Search {
 public:
  Search(const LoadedTable& table, const Plan& plan, const Split& split,
         const SearchOptions& options)
      : table_(table),
        plan_(plan),
        split_(split),
        options_(options),
        fingerprint_(fingerprint_of(split)),
        begin_s_(now() - (options.log ? options.log->elapsed_s(fingerprint_) : 0)) {}

  Result<SearchResult> run() {
    TRY_OK(choose_kinds());
    draw();
    settle_stages();
    for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
      TRY_OK(run_stage(stage));
      if (stage + 1 == stages_.size()) break;
      keep_the_better(stage);
      // With one of each kind left there is nothing to choose before the last.
      if (alive_.size() <= kinds_.size()) stage = stages_.size() - 2;
    }
    TRY_OK(finish());
    return std::move(out_);
  }

 private:
  double now() const { return options_.clock_s ? options_.clock_s() : 0; }

  Status choose_kinds() {
    for (const SearchKind& kind : search_kinds()) {
      if (is_wanted(kind)) kinds_.push_back(&kind);
    }
    for (const SearchKind& kind : search_kinds()) {
      if (is_wanted_too(kind)) kinds_.push_back(&kind);
    }
    if (!kinds_.empty()) return ok_status();
    return Error{Code::kInvalid,
                 fmt::format("no kind that was named can be searched for this target: {}",
                             fmt::join(options_.kinds, ", ")),
                 "kind", "leave out --search, or name others"};
  }

  bool is_joint() const {
    return !options_.model.tasks.empty() || options_.model.second_loss.weight > 0;
  }

  bool fits(const SearchKind& kind) const {
    return (options_.is_binary ? kind.is_for_yes_no : kind.is_for_numbers) &&
           (!is_joint() || takes_tasks(kind.kind)) &&
           (!needs_sequences(kind.kind) ||
            std::ranges::any_of(plan_.features, [](const auto& f) { return !f.as.empty(); }));
  }

  bool is_wanted(const SearchKind& kind) const {
    const auto& named = options_.kinds;
    if (!fits(kind)) return false;
    if (named.empty()) return is_joint() || !kind.is_extra;
    return std::find(named.begin(), named.end(), kind.kind) != named.end();
  }

  // A slow one beside those that are wanted anyway.
  bool is_wanted_too(const SearchKind& kind) const {
    if (!fits(kind) || is_wanted(kind) || !options_.kinds.empty()) return false;
    std::vector<const SearchKind*> with = kinds_;
    with.push_back(&kind);
    const auto rows = static_cast<double>(split_.train.size());
    return rows >= kFewestRowsOfExtra && affordable_rows(with) >= rows;
  }

  // So many rows in the last stage fit in the budget, the earlier ones included.
  double affordable_rows(const std::vector<const SearchKind*>& kinds) const {
    double cost = 0;  // of a row
    for (const SearchKind* kind : kinds) {
      double runs = 1;
      double still = static_cast<double>(options_.settings), share = 1.0 / (kFactor * kFactor);
      for (; share < 0.99; share *= kFactor, still = std::max(1.0, still / kFactor)) {
        runs += share * still;
      }
      cost += kind->cost * kind->passes * runs;
    }
    return options_.budget_s * kRowsPerSecond * kShareForSearch / cost;
  }

  void draw() {
    for (const SearchKind* kind : kinds_) {
      for (std::size_t i = 0; i < options_.settings; ++i) {
        candidates_.push_back({std::string(kind->kind),
                               settings_to_try(*kind, i, options_.model.seed),
                               0,
                               0,
                               0,
                               {},
                               {}});
        kind_of_.push_back(kind);
      }
    }
    for (std::size_t i = 0; i < candidates_.size(); ++i) alive_.push_back(i);
  }

  // So many rows in each stage that all of them together fit in the budget.
  void settle_stages() {
    const std::size_t rows = split_.train.size();
    const auto last = static_cast<std::size_t>(
        std::clamp(affordable_rows(kinds_), static_cast<double>(std::min(rows, kFewestRows)),
                   static_cast<double>(rows)));
    stages_ = {last};
    while (stages_.size() < kMostStages && stages_.front() / kFactor >= kFewestRows) {
      stages_.insert(stages_.begin(), stages_.front() / kFactor);
    }
    if (last < rows) {
      out_.notes.push_back(fmt::format(
          "chosen on {} of {} rows, to stay within the budget; --budget-seconds allows more", last,
          rows));
    }
  }

  Result<const Material*> material(const std::string& kind) {
    // Trees need no bins, mlp numbered inputs, kinds over fields their number; the others take rows
    // as they are.
    const std::string key = needs_inputs(kind)   ? "inputs"
                            : is_tree_kind(kind) ? "trees"
                            : reads_fields(kind) ? "fields"
                                                 : "";
    const auto known = materials_.find(key);
    if (known != materials_.end()) return &known->second;
    // Drawn from all over: the first rows of a file may be of one day.
    std::vector<std::uint32_t> rows = split_.train;
    Rng rng(options_.model.seed);
    for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[rng.below(i)]);
    rows.resize(stages_.back());
    Material material;
    TRY(material.made, make_rows(table_, plan_, rows, kind));
    material.held = material.made.more(table_, split_.test);
    if (options_.further != nullptr) {
      options_.further->add_labels(table_, rows, material.made.examples);
      options_.further->add_labels(table_, split_.test, material.held);
    }
    return &materials_.emplace(key, std::move(material)).first->second;
  }

  bool is_out_of_time() {
    if (is_over_ || !options_.clock_s || now() - begin_s_ < options_.budget_s) return is_over_;
    is_over_ = true;
    out_.notes.push_back(fmt::format(
        "stopped after {:.0f} seconds, before all was tried: another run may choose another model; "
        "--budget-seconds allows more",
        options_.budget_s));
    return true;
  }

  Status run_stage(std::size_t stage) {
    std::size_t done = 0;
    for (const std::size_t i : alive_) {
      // Something must come of it, even late.
      Candidate& one = candidates_[i];
      if (done > 0 && known(one, stages_[stage]) == nullptr && is_out_of_time()) break;
      if (options_.on_stage) {
        FitProgress progress;
        progress.share = static_cast<double>(done) / static_cast<double>(alive_.size());
        options_.on_stage(fmt::format("choosing: {} on {} rows", one.kind, stages_[stage]),
                          progress);
      }
      TRY_OK(tried(one, stages_[stage]));
      ++done;
    }
    return ok_status();
  }

  Result<std::unique_ptr<Model>> model_of(const Candidate& one, const MadeRows& made) const {
    ModelOptions options = options_for(options_.model, one.kind, one.settings, options_.is_binary);
    limit_memory(options_.memory_bytes, options);
    options.inputs = made.model_inputs;
    options.sequences = made.sequences;
    return make_model(options);
  }

  static std::uint64_t fingerprint_of(const Split& split) {
    std::uint64_t out = 0;
    for (const auto* side : {&split.train, &split.test}) {
      out = mix64(out, side->size());
      for (const std::uint32_t row : *side) out = mix64(out, row);
    }
    return out;
  }

  SearchTrial trial_of(const Candidate& one, std::size_t rows) const {
    SearchTrial trial;
    trial.search = fingerprint_;
    trial.kind = one.kind;
    trial.settings = one.settings;
    trial.rows = rows;
    return trial;
  }

  const SearchTrial* known(const Candidate& one, std::size_t rows) const {
    return options_.log == nullptr ? nullptr : options_.log->find(trial_of(one, rows));
  }

  // Makes a trial, unless an earlier run did.
  Status tried(Candidate& one, std::size_t rows) {
    if (const SearchTrial* const before = known(one, rows)) {
      out_.rows_learned += before->rows_learned;
      one.rows = rows;
      one.passes = before->passes;
      one.loss = before->loss;
      one.losses = before->losses;
      one.interval = before->interval;
      return ok_status();
    }
    SearchTrial trial = trial_of(one, rows);
    const std::uint64_t learned = out_.rows_learned;
    TRY_OK(attempt(one, rows));
    if (options_.log == nullptr) return ok_status();
    trial.rows_learned = out_.rows_learned - learned;
    trial.passes = one.passes;
    trial.loss = one.loss;
    trial.interval = one.interval;
    // Only the last stage compares row by row.
    if (rows == stages_.back()) trial.losses = one.losses;
    trial.elapsed_s = now() - begin_s_;
    return options_.log->add(std::move(trial));
  }

  // Learns from the first `rows` and judges on all that are held back, after each pass.
  Status attempt(Candidate& one, std::size_t rows) {
    TRY(const Material* const material, this->material(one.kind));
    TRY(const auto model, model_of(one, material->made));
    std::vector<std::uint32_t> first = every_row(rows);
    MemoryBlocks learned(material->made.examples, std::move(first));
    learned.shuffled(options_.model.seed);
    MemoryBlocks held(material->held, every_row(material->held.size()));
    double least = std::numeric_limits<double>::infinity();
    std::vector<float> losses;
    const auto judge = [&]() -> Result<double> {
      TRY(losses, losses_of(*model, held));
      double sum = 0;
      for (const float loss : losses) sum += double{loss};
      const double mean = sum / static_cast<double>(std::max<std::size_t>(losses.size(), 1));
      if (mean < least) {
        least = mean;
        one.losses = losses;
      }
      return mean;
    };
    FitOptions how{.passes = TableLearnOptions::kMostPasses, .validate = judge, .patience = 3};
    TRY(const FitReport report, fit(*model, learned, how));
    out_.rows_learned += report.rows * report.validations.size();
    one.rows = rows;
    one.passes = report.best_passes;
    one.loss = least;
    one.interval = interval_of(one.losses);
    return ok_status();
  }

  // Of a task, by row; NaN where its label is not known. Each counts as its row's weight says: what
  // is learned by weight is chosen by weight.
  struct TaskLosses {
    std::vector<float> losses;
    double weights = 0;  // of the rows whose label is known
    void add(double loss, float weight) {
      losses.push_back(static_cast<float>(loss * double{weight}));
      if (!std::isnan(loss)) weights += double{weight};
    }
  };

  static Result<std::vector<float>> losses_of(const Model& model, MemoryBlocks& rows) {
    const std::size_t heads = model.heads();
    std::vector<TaskLosses> tasks(heads);
    std::vector<float> predicted;
    Examples block;
    TRY_OK(rows.begin(0));
    while (true) {
      TRY(const bool has_rows, rows.next(block));
      if (!has_rows) break;
      predicted.resize(block.size() * heads);
      model.predict_heads(block, predicted);
      for (std::size_t i = 0; i < predicted.size(); ++i) {
        const std::size_t row = i / heads, task = i % heads;
        const float label = block.label(row, task);
        const double loss =
            std::isnan(label) && heads > 1 ? double{NAN} : loss_of(model, predicted[i], label);
        tasks[task].add(loss, block.weight(row));
      }
    }
    return joint_losses(tasks, model.options().tasks);
  }

  // Their mean is the sum of the means of the tasks, as weighed.
  static std::vector<float> joint_losses(const std::vector<TaskLosses>& tasks,
                                         const std::vector<TaskOptions>& as) {
    const std::size_t rows = tasks.front().losses.size();
    std::vector<double> sums(rows, 0);
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      const double weight = as.empty() ? 1 : as[t].weight;
      const double mean_weight =
          tasks[t].weights / static_cast<double>(std::max<std::size_t>(rows, 1));
      for (std::size_t row = 0; row < rows; ++row) {
        const double loss = double{tasks[t].losses[row]};
        if (!std::isnan(loss) || tasks.size() == 1) sums[row] += weight * loss / mean_weight;
      }
    }
    std::vector<float> out;
    for (const double sum : sums) out.push_back(static_cast<float>(sum));
    return out;
  }

  static std::optional<Interval> interval_of(std::span<const float> losses) {
    const auto n = static_cast<double>(losses.size());
    if (n < 2) return std::nullopt;
    double sum = 0, squares = 0;
    for (const float loss : losses) {
      sum += double{loss};
      squares += double{loss} * double{loss};
    }
    const double mean = sum / n;
    const double deviation = std::sqrt(std::max(0.0, squares / n - mean * mean) / (n - 1));
    return Interval{mean - 1.96 * deviation, mean + 1.96 * deviation};
  }

  // A third of each kind goes on, in the last stage one.
  void keep_the_better(std::size_t stage) {
    const bool is_last = stage + 2 == stages_.size();
    std::vector<std::size_t> next;
    for (const SearchKind* kind : kinds_) {
      std::vector<std::size_t> own;
      for (const std::size_t i : alive_) {
        if (kind_of_[i] == kind && candidates_[i].rows == stages_[stage]) own.push_back(i);
      }
      std::stable_sort(own.begin(), own.end(), [&](std::size_t a, std::size_t b) {
        return candidates_[a].loss < candidates_[b].loss;
      });
      own.resize(std::min<std::size_t>(own.size(), is_last ? 1 : (own.size() + 2) / kFactor));
      next.insert(next.end(), own.begin(), own.end());
    }
    alive_ = std::move(next);
  }

  Status finish() {
    // Rows to count the baseline on, also where every trial was made before.
    TRY_OK(material(std::string(kinds_.front()->kind)));
    out_.held_rows = split_.test.size();
    std::erase_if(candidates_, [](const Candidate& one) { return one.rows == 0; });
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [](const Candidate& a, const Candidate& b) {
                       return a.rows != b.rows ? a.rows > b.rows : a.loss < b.loss;
                     });
    out_.candidates = std::move(candidates_);
    out_.baseline = baseline();
    out_.reason = reason();
    for (Candidate& one : out_.candidates) one.losses.clear();
    return ok_status();
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
    const Material& any = materials_.begin()->second;
    const Examples &learned = any.made.examples, &held = any.held;
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
    const Candidate& best = out_.candidates.front();
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
    const Candidate& next = *best_of[1];
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

  const LoadedTable& table_;
  const Plan& plan_;
  const Split& split_;
  const SearchOptions& options_;
  const std::uint64_t fingerprint_;  // among the searches of a log
  const double begin_s_;             // of its first run
  bool is_over_ = false;
  std::vector<const SearchKind*> kinds_, kind_of_;
  std::vector<Candidate> candidates_;
  std::vector<std::size_t> alive_;   // of candidates_
  std::vector<std::size_t> stages_;  // rows of each, rising
  std::map<std::string, Material> materials_;
  SearchResult out_;
};

}  // namespace

std::vector<const Candidate*> SearchResult::best_of_kinds() const {
  std::vector<const Candidate*> out;
  for (const Candidate& one : candidates) {
    if (one.rows != candidates.front().rows) break;
    const bool is_known = std::any_of(
        out.begin(), out.end(), [&](const Candidate* other) { return other->kind == one.kind; });
    if (!is_known) out.push_back(&one);
  }
  return out;
}

void limit_memory(std::uint64_t bytes, ModelOptions& options) {
  if (bytes == 0) return;
  for (const ModelKind& kind : model_kinds()) {
    if (options.bits == 0 && kind.name == options.kind) options.bits = kind.bits;
  }
  const std::uint64_t row = kMostRowBytes + kHeadBytes * options.tasks.size();
  while (options.bits > kFewestBits && (row << options.bits) > bytes) --options.bits;
  if (!is_tree_kind(options.kind)) return;
  options.settings.emplace_back("memory_mb",
                                static_cast<double>(std::max<std::uint64_t>(bytes >> 20, 1)));
}

std::string settings_text(const std::vector<std::pair<std::string, double>>& settings) {
  if (settings.empty()) return "its own settings";
  std::string text;
  for (const auto& [name, value] : settings) {
    text += fmt::format("{}{}={:.6g}", text.empty() ? "" : " ", name, value);
  }
  return text;
}

Result<SearchResult> search_models(const LoadedTable& table, const Plan& plan, const Split& split,
                                   const SearchOptions& options) {
  CHECK(!split.train.empty() && options.settings > 0);
  return Search(table, plan, split, options).run();
}

}  // namespace attune
