#include "cli/train_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/config.h"
#include "catalog/registry.h"

namespace attune {
namespace {

// "alpha=0.1"
Result<std::pair<std::string, double>> setting(const std::string& text) {
  const auto sign = text.find('=');
  double value = 0;
  if (sign != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data() + sign + 1, end, value);
    if (fault == std::errc() && stop == end && std::isfinite(value)) {
      return std::pair(text.substr(0, sign), value);
    }
  }
  return Error{Code::kInvalid, fmt::format("--set {}: must be NAME=NUMBER", text), "set",
               "for example --set alpha=0.1"};
}

}  // namespace

Result<ModelOptions> model_options(const TrainOptions& options) {
  ModelOptions model;
  model.seed = options.seed;
  if (options.bits != 0) model.bits = options.bits;
  model.collision_free = options.is_collision_free;
  model.admit_after = std::max<std::uint32_t>(options.admit_after, 1);
  model.expire_rows = options.expire_rows;
  if (!options.table_memory.empty()) {
    TRY(model.memory_bytes, parse_size(options.table_memory));
  }
  TRY(model.second_loss, second_loss_of(options.joint));
  for (const std::string& text : options.settings) {
    TRY(auto one, setting(text));
    model.settings.push_back(std::move(one));
  }
  return model;
}

bool is_settled(const TrainOptions& options) {
  return !options.settings.empty() || options.passes > 0 || !options.preset.empty() ||
         options.is_collision_free;
}

bool is_search(const TrainOptions& options) {
  const bool is_asked = options.search.is_given() || !options.memory.empty();
  const bool is_said = is_settled(options) || is_ranking(options) || !options.kinds.empty() ||
                       options.weights > 0 || options.bits > 0 || options.joint.is_given();
  return is_asked || !is_said;
}

bool is_ranking(const TrainOptions& options) {
  if (!options.objective.empty()) return options.objective == "ranking";
  return !options.group.empty() && options.kinds == std::vector<std::string>{"trees"};
}

namespace {

// Several targets need a table, a kind that takes them, and are measured as they are.
Status check_joint(const TrainOptions& options) {
  const JointFlags& joint = options.joint;
  if (!joint.is_given()) return ok_status();
  TRY([[maybe_unused]] const FurtherTargetOptions also, also_of(joint));
  TRY([[maybe_unused]] const SecondLossOptions second, second_loss_of(joint));
  const bool is_workspace = !options.workspace.empty();
  if (is_workspace && options.target.empty()) {
    return Error{Code::kInvalid,
                 "--also, --second-loss, --weight-of and --compare-alone of a workspace need "
                 "--target, a verb: without, it learns whether an item is engaged with",
                 "target", "attune train --workspace shop --target click --also like,purchase"};
  }
  if (!is_workspace && !options.file.format.empty() && !options.file.is_table()) {
    return Error{Code::kInvalid,
                 "--also and --second-loss are for tables and workspaces: other files have one "
                 "label a row",
                 "also", "attune train shop.csv --target click --also like,purchase"};
  }
  if (!is_workspace && !options.preset.empty()) {
    return Error{Code::kInvalid, "--also and --second-loss: not with --preset", "also",
                 "name the kind, with --kind, and its settings, with --set"};
  }
  return ok_status();
}

// A workspace is no file, and has its own plan.
Status check_place(const TrainOptions& options) {
  const bool is_workspace = !options.workspace.empty();
  if (is_workspace == !options.file.file.empty()) {
    return Error{Code::kInvalid, "train: name either a file or --workspace", "file",
                 "attune train bank.csv --target y, or attune train --workspace shop"};
  }
  const bool is_for_files =
      !options.positive.empty() || !options.plan.empty() || !options.preset.empty() ||
      !options.drop.empty() || !options.allow.empty() || !options.time_column.empty() ||
      !options.weight.empty() || !options.group.empty() || !options.objective.empty() ||
      !options.cache.empty() || !options.test_file.empty() || options.folds > 0 ||
      !options.search.resume.empty() || options.threads > 0;
  if (is_workspace && is_for_files) {
    return Error{
        Code::kInvalid,
        "--workspace: its decisions have their features and outcomes, and the latest are "
        "tested on: options about columns, --test, --folds, --cache, --resume and --threads are "
        "for files",
        "workspace", "attune train --workspace shop --kind fm"};
  }
  const bool is_search = options.search.is_given() || options.kinds.size() > 1;
  if (is_workspace && is_search && is_settled(options)) {
    return Error{
        Code::kInvalid,
        "--search, --budget-seconds and several kinds look for settings and passes: --set, "
        "--passes and --collision-free say them",
        "search", "leave out one of the two"};
  }
  const bool is_for_workspaces = !options.against.empty() || !options.name.empty() ||
                                 options.is_promoted || options.cpu_share < 1;
  if (!is_workspace && is_for_workspaces) {
    return Error{Code::kInvalid,
                 "--against, --register, --promote and --cpu-share need --workspace", "workspace",
                 "attune registry register FILE --name NAME registers a file's model"};
  }
  if (options.is_promoted && options.name.empty()) {
    return Error{Code::kInvalid, "--promote needs --register NAME", "promote", ""};
  }
  if (!options.name.empty() && !is_model_name(options.name)) {
    return Error{Code::kInvalid,
                 fmt::format("--register {}: must be 1-64 of a-z, 0-9, - and _, a letter first",
                             options.name),
                 "register", "for example --register ranker"};
  }
  return ok_status();
}

Status check_ranking(const TrainOptions& options) {
  if (!is_ranking(options)) return ok_status();
  if (options.group.empty()) {
    return Error{Code::kInvalid, "--objective ranking: of which rows? name a column with --group",
                 "group", "a search, a slate, a test: rows are put in order inside it"};
  }
  for (const std::string& kind : options.kinds) {
    if (kind == "trees") continue;
    return Error{Code::kInvalid,
                 fmt::format("--objective ranking: kind {} has no such objective, trees has", kind),
                 "kind",
                 "use --kind trees, or leave out --objective: rows of a group are then "
                 "ordered by what is predicted of each"};
  }
  if (options.search.is_given() || options.calibration != "none") {
    return Error{Code::kInvalid,
                 "a ranking is neither searched for nor calibrated: its scores are no "
                 "probabilities",
                 "objective", "leave out --search and --calibrate, or add --objective prediction"};
  }
  return ok_status();
}

}  // namespace

Status check_train(const TrainOptions& options) {
  TRY_OK(check_place(options));
  TRY_OK(check_joint(options));
  TRY_OK(check_ranking(options));
  if (!options.preset.empty() && options.preset != kClassic) {
    return Error{Code::kInvalid, fmt::format("--preset {}: there is only mlp", options.preset),
                 "preset", ""};
  }
  if (!options.preset.empty() && (!options.kinds.empty() || !options.plan.empty())) {
    return Error{Code::kInvalid, "--preset mlp names kind and columns itself", "preset",
                 "leave out --kind and --plan"};
  }
  if (!options.cache.empty() && (options.file.format.empty() || options.file.is_table())) {
    return Error{Code::kInvalid, "--cache keeps the rows of criteo, vw, libsvm and libffm", "cache",
                 "leave it out: a table is parsed once, whatever the passes"};
  }
  const bool is_table = options.file.format.empty() || options.file.is_table();
  if (options.is_hogwild && is_table && is_search(options)) {
    return Error{Code::kInvalid,
                 "--hogwild is for one model; where kind and settings are looked for, --threads "
                 "tries several at once",
                 "hogwild", "name one --kind, or leave it out"};
  }
  if (options.is_hogwild && options.threads < 2) {
    return Error{Code::kInvalid, "--hogwild needs --threads of 2 or more", "hogwild",
                 "add --threads 2"};
  }
  const bool has_table_options =
      options.admit_after > 0 || options.expire_rows > 0 || !options.table_memory.empty();
  if (has_table_options && !options.is_collision_free) {
    return Error{Code::kInvalid,
                 "--admit-after, --expire-rows and --table-memory need --collision-free",
                 "collision-free", "a hashed table takes every id and forgets none"};
  }
  if (!options.test_file.empty() && options.folds > 0) {
    return Error{Code::kInvalid, "--test and --folds are two ways of testing", "folds",
                 "use one of them"};
  }
  return ok_status();
}

}  // namespace attune
