// Registered models: files in the workspace's folder "registry", named by their content; which one
// is a version of what, and which is promoted, is in the catalog.
#include <fmt/format.h>

#include <filesystem>

#include "base/json.h"
#include "engine/workspace.h"
#include "learn/trained.h"
#include "model/model_file.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

std::string register_json(const std::string& name, const ModelVersion& version) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("op", "register_model").key("model").begin_object();
  json.field("name", name).field("id", version.id).field("kind", version.kind);
  json.field("input", version.input).field("bytes", version.bytes);
  if (!version.about.empty()) json.key("about").raw(version.about);
  json.end_object().end_object();
  return out;
}

std::string change_json(std::string_view op, const std::string& name, std::uint32_t version,
                        const std::string& reason) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("op", op).field("name", name);
  if (version != 0) json.field("version", std::uint64_t{version});
  if (!reason.empty()) json.field("reason", reason);
  json.end_object();
  return out;
}

std::string teach_json(const std::string& name, std::uint32_t version, bool is_learning,
                       const std::string& reason) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("op", "teach_model").field("name", name);
  json.field("version", std::uint64_t{version}).field("is_learning", is_learning);
  if (!reason.empty()) json.field("reason", reason);
  json.end_object();
  return out;
}

// What the registry tells of a version that was kept: how good it was on each outcome before it
// learned from it.
std::string kept_json(std::uint32_t of, std::uint64_t tick, const ProgressiveMetrics& progressive) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("by", "registry keep").field("of", std::uint64_t{of});
  json.field("until_tick", tick).field("test_rows", progressive.n());
  if (const auto loss = progressive.log_loss()) json.field("log_loss", *loss);
  if (const auto auc = progressive.auc()) json.field("auc", *auc);
  json.end_object();
  return out;
}

const ModelVersion* find_version(const Catalog& catalog, const std::string& name,
                                 std::uint32_t number) {
  const RegisteredModel* const model = catalog.models().find(name);
  return model == nullptr ? nullptr : model->version(number);
}

bool has_file(const Catalog& catalog, const std::string& id) {
  for (const auto& [name, model] : catalog.models().models()) {
    for (const ModelVersion& version : model.versions) {
      if (version.id == id) return true;
    }
  }
  return false;
}

}  // namespace

Result<ModelVersion> Workspace::register_model(const std::string& name, const std::string& given,
                                               const std::string& about) {
  const std::string path = is_model_id(given) ? models_.path_of(given) : given;
  ModelVersion version;
  {
    TRY(const ModelFile file, ModelFile::open(path));
    if (file.has(kFactorsKind)) {  // all of it is checked, of whatever kind
      TRY_OK(ItemFactors::load(path));
      version.kind = kFactorsKind;
      version.input = kItemsInput;
    } else {
      TRY(const Trained trained, Trained::load(path));
      version.kind = trained.model->kind();
      version.input = trained.input;
    }
    version.id = file.id();
    version.bytes = file.size_bytes();
    version.about = about;
  }
  TRY_OK(copy_model_file(path, models_.path_of(version.id)));
  TRY_OK(control({register_json(name, version)}));
  const auto now = catalog();
  for (const ModelVersion& known : now->models().find(name)->versions) {
    if (known.id == version.id) return known;
  }
  return Error{Code::kInternal, "a model just registered is not there"};
}

// By the plan of now, which is what its rows will be made by.
Status Workspace::check_can_rank(const ModelVersion& version) {
  TRY(const ServedModel served, models_.load(version.id));
  TRY(const Plan plan, plan_of(*catalog()));
  if (served.plan == plan.toml()) return ok_status();
  return Error{Code::kInvalid,
               fmt::format("version {} was trained on rows of another plan than the workspace's",
                           version.number),
               "version", "train again: attune train --workspace"};
}

// A model of other rows than decisions' may be promoted too: then NAME means that version.
Status Workspace::promote_model(const std::string& name, std::uint32_t number,
                                const std::string& reason) {
  const auto now = catalog();
  const ModelVersion* const version = find_version(*now, name, number);
  if (version != nullptr && version->input == kWorkspaceInput) TRY_OK(check_can_rank(*version));
  if (version != nullptr && version->input == kItemsInput) {
    TRY_OK(models_.load_factors(version->id));
  }
  return control({change_json("promote_model", name, number, reason)});
}

Status Workspace::roll_back_model(const std::string& name, const std::string& reason) {
  return control({change_json("roll_back_model", name, 0, reason)});
}

Status Workspace::remove_model(const std::string& name, std::uint32_t number) {
  const auto before = catalog();
  const ModelVersion* const version = find_version(*before, name, number);
  TRY_OK(control({change_json("remove_model", name, number, "")}));
  if (version == nullptr || has_file(*catalog(), version->id)) return ok_status();
  std::error_code ignored;  // a file too many harms nobody
  fs::remove(models_.path_of(version->id), ignored);
  return ok_status();
}

// kInvalid: it cannot rank. That there is none is left to the change to say.
Status Workspace::require_ranking(const Catalog& catalog, const std::string& name,
                                  std::uint32_t number) {
  const ModelVersion* const version = find_version(catalog, name, number);
  if (version == nullptr) return ok_status();
  if (version->input != kWorkspaceInput) {
    return Error{
        Code::kInvalid,
        fmt::format("{}@{} reads rows of {}, not of decisions", name, number, version->input),
        "version", "attune train --workspace makes a model that can rank"};
  }
  return check_can_rank(*version);
}

Status Workspace::challenge_model(const ChallengeModel& change) {
  const auto now = catalog();
  TRY_OK(change.share > 0 ? require_ranking(*now, change.name, change.version)
                          : require_one_outcome(*now, change.name, change.version));
  return control({challenge_json(change)});
}

Status Workspace::retire_challenger(const std::string& name, const std::string& reason) {
  return control({change_json("retire_challenger", name, 0, reason)});
}

// kInvalid: it cannot rank, or predicts verbs, each known when a window has ended; the stream says
// at once whether an item is engaged with, and neither measures nor teaches verbs.
Status Workspace::require_one_outcome(const Catalog& catalog, const std::string& name,
                                      std::uint32_t number) {
  TRY_OK(require_ranking(catalog, name, number));
  const ModelVersion* const version = find_version(catalog, name, number);
  if (version == nullptr) return ok_status();
  TRY(const ServedModel served, models_.load(version->id));
  const std::vector<TaskOptions>& tasks = served.model->options().tasks;
  if (tasks.empty()) return ok_status();
  return Error{
      Code::kInvalid,
      fmt::format("{}@{} predicts {}: the stream tells whether an item is engaged with", name,
                  number, tasks.front().name),
      "version",
      "attune train trains it again and compares it (--against); attune registry canary lets it "
      "rank for some"};
}

Status Workspace::teach_model(const std::string& name, std::uint32_t number, bool is_learning,
                              const std::string& reason) {
  const auto now = catalog();
  if (is_learning) TRY_OK(require_one_outcome(*now, name, number));
  return control({teach_json(name, number, is_learning, reason)});
}

Result<ModelVersion> Workspace::keep_model(const std::string& name, std::uint32_t number) {
  const auto before = catalog();
  TRY(const RegisteredModel* const known, before->models().require(name));
  const ModelVersion* const version = known->version(number);
  if (version == nullptr) {
    return Error{Code::kNotFound, fmt::format("model \"{}\" has no version {}", name, number),
                 "version", "attune registry list shows its versions"};
  }
  TRY(StreamModels::Learned learned, stream_.learned(name, number));
  TRY(Trained trained, Trained::load(models_.path_of(version->id)));
  trained.model = std::move(learned.model);
  trained.calibration = {};  // of what it was
  trained.learned_until = now();
  trained.report = kept_json(number, learned.tick, learned.measures.progressive);
  const std::string file = path(fmt::format("kept-{}-{}.model", name, number));
  TRY_OK(trained.save(file));
  auto kept = register_model(name, file, trained.report);
  std::error_code ignored;  // a file too many harms nobody
  fs::remove(file, ignored);
  return kept;
}

// Under the lock, after a tick: what learning spoiled ranks as it was registered again, and the
// journal says why.
void Workspace::stop_faulty_models() {
  for (const StreamModels::Fault& fault : stream_.take_faults()) {
    log(LogLevel::kError, "stream_model_stopped",
        {{"model", fmt::format("{}@{}", fault.name, fault.version)}, {"reason", fault.reason}});
    const Status status =
        append_control({teach_json(fault.name, fault.version, false, fault.reason)});
    if (!status.ok()) {
      log(LogLevel::kWarn, "stream_model_not_stopped", {{"message", status.error().message}});
    }
  }
}

// Null, said in the log, when the version cannot rank.
std::shared_ptr<const Model> Workspace::registered_model(const ModelVersion& version,
                                                         const Plan& plan) {
  if (version.input != kWorkspaceInput) return nullptr;
  const auto served = models_.load(version.id);
  if (!served.ok()) {
    log(LogLevel::kError, "model_not_served",
        {{"id", version.id}, {"message", served.error().message}});
    return nullptr;
  }
  return served->plan == plan.toml() ? served->model : nullptr;
}

// For the state: as far as it has learned, if it does.
RankModel Workspace::rank_model(const RegisteredModel& model, const ModelVersion& version,
                                const Plan& plan) {
  RankModel out{fmt::format("{}@{}", model.name, version.number), registered_model(version, plan)};
  if (!out.model || !model.is_learning(version.number)) return out;
  const StreamModels::Serving learned = stream_.serving(model.name, version.number);
  if (!learned.model) return out;
  return {fmt::format("{}+{}", out.version, learned.tick), learned.model};
}

// For the state: null, said in the log, when the promoted version cannot draw candidates.
std::shared_ptr<const ItemFactors> Workspace::item_factors(const ModelVersion& version) {
  if (version.input != kItemsInput) return nullptr;
  const auto served = models_.load_factors(version.id);
  if (served.ok()) return *served;
  log(LogLevel::kError, "model_not_served",
      {{"id", version.id}, {"message", served.error().message}});
  return nullptr;
}

}  // namespace attune
