#include "cli/journal_models.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "cli/access.h"
#include "cli/cpu_share.h"
#include "cli/model_registry.h"
#include "engine/observe.h"
#include "engine/outcomes.h"
#include "engine/state.h"
#include "learn/verb_targets.h"

namespace attune {
namespace {

// Sanitizers map terabytes of their own.
#ifdef __has_feature
constexpr bool kIsSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

// The plan its rows are made by now.
Result<std::string> plan_text(const std::string& workspace) {
  TRY(const Catalog catalog, observe_catalog(workspace));
  TRY(const Plan plan, plan_of(catalog));
  return plan.toml();
}

// What a model of these tasks ranks by, and is compared by: the first.
std::string what_ranks(const std::vector<TaskOptions>& tasks) {
  return tasks.empty() ? "whether an item is engaged with" : tasks.front().name;
}

// One that predicts what a model of these tasks does.
Result<Trained> load_rival(const std::string& name, const std::string& workspace,
                           const std::vector<TaskOptions>& tasks) {
  TRY(const std::string path, find_model(name, workspace));
  TRY(Trained trained, Trained::load(path));
  if (trained.input != kWorkspaceInput || !trained.model->is_probability()) {
    return Error{
        Code::kInvalid,
        fmt::format("--against {}: it reads rows of {}, not of decisions", name, trained.input),
        "against", "name a model of attune train --workspace"};
  }
  const std::string wanted = what_ranks(tasks), its = what_ranks(trained.model->options().tasks);
  if (its == wanted) return trained;
  return Error{Code::kInvalid,
               fmt::format("--against {}: it predicts {}, not {}", name, its, wanted), "against",
               tasks.empty() ? "name a model of attune train --workspace without --target"
                             : fmt::format("name a model whose first target is {}", wanted)};
}

// Labelled as a model of these tasks learns them.
Result<std::unique_ptr<OutcomeSource>> rows_for(const std::vector<TaskOptions>& tasks,
                                                const std::string& workspace,
                                                const NameSink& names = nullptr) {
  if (tasks.empty()) return open_outcomes(workspace, names);
  TRY(const std::vector<Verb> verbs, verbs_of(tasks));
  return open_verb_outcomes(workspace, verbs, names);
}

}  // namespace

void limit_memory(std::uint64_t bytes) {
  if (bytes == 0 || kIsSanitized) return;
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_DATA, &limit);
  std::set_new_handler([] {
    constexpr std::string_view kSaid = "attune: more memory is needed than --memory allows\n";
    (void)!::write(STDERR_FILENO, kSaid.data(), kSaid.size());
    ::_exit(1);
  });
}

Result<TrainedModel> train_on_workspace(const JournalOptions& options, TrainScreen& screen) {
  TRY_OK(require_workspace(options.workspace));
  limit_memory(options.memory_bytes);
  JournalTrainingOptions training;
  training.workspace = options.workspace;
  TRY(training.plan, plan_text(options.workspace));
  std::vector<Trained> rivals;
  rivals.reserve(options.against.size());
  for (const std::string& name : options.against) {
    TRY(Trained rival, load_rival(name, options.workspace, options.model.tasks));
    rivals.push_back(std::move(rival));
    training.rivals.push_back({name, &rivals.back()});
  }
  training.model = options.model;
  training.search = options.search;
  training.compare_alone = options.compare_alone;
  training.passes = options.passes;
  training.share = options.share;
  training.threshold = options.threshold;
  training.calibration = options.calibration;
  training.memory_bytes = options.memory_bytes;
  training.clock_s = options.clock_s;
  const CpuShare cpu(options.cpu_share);
  training.on_stage = [&](std::string_view stage, const FitProgress& progress) {
    screen.show(stage, progress);
    cpu.keep();
  };
  FeatureNames names;
  NameSink sink;
  if (options.keeps_names) {
    sink = [&](std::uint32_t hash, std::string_view name) { names.add(hash, name); };
  }
  TRY(const auto rows, rows_for(options.model.tasks, options.workspace, sink));
  TRY(TrainedModel made, train_journal(*rows, training));
  if (options.keeps_names) made.trained.names = std::move(names);
  return made;
}

Result<std::uint64_t> score_workspace(const Trained& trained, const std::string& workspace,
                                      bool is_all, TrainScreen& screen, const TakeOutcomes& use) {
  TRY_OK(require_workspace(workspace));
  if (trained.input != kWorkspaceInput) {
    return Error{Code::kInvalid,
                 fmt::format("the model reads rows of {}, not of decisions", trained.input),
                 "workspace", "name a file, or a model of attune train --workspace"};
  }
  TRY(const auto source, rows_for(trained.model->options().tasks, workspace));
  TRY_OK(source->begin(0));
  Examples block, fresh;
  std::vector<float> predicted;
  std::uint64_t known = 0;
  FitProgress progress;
  while (true) {
    TRY(const bool has_rows, source->next(block));
    if (!has_rows) break;
    fresh.clear();
    for (std::size_t i = 0; i < block.size(); ++i) {
      const bool is_known = !is_all && source->times()[i] <= trained.learned_until;
      is_known ? (void)++known : append_row(block, i, fresh);
    }
    const Examples rows = fresh;  // predict() may change them
    trained.predict_heads(fresh, predicted);
    TRY_OK(use(rows, predicted));
    progress.share = source->share();
    progress.rows += rows.size();
    screen.show("testing", progress);
  }
  screen.erase();
  return known;
}

}  // namespace attune
