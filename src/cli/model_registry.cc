#include "cli/model_registry.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <filesystem>

#include "base/json.h"
#include "engine/observe.h"
#include "learn/trained.h"
#include "model/item_factors.h"
#include "model/model_file.h"

namespace attune {
namespace {

namespace dom = simdjson::dom;
namespace fs = std::filesystem;

std::string path_in(const std::string& workspace, const std::string& id) {
  return workspace + "/registry/" + id + ".model";
}

Result<RegisteredModel> model_of(const Catalog& catalog, const std::string& name) {
  TRY(const RegisteredModel* const model, catalog.models().require(name));
  return *model;
}

class FolderChanges final : public ModelChanges {
 public:
  explicit FolderChanges(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  Result<RegisteredModel> add(const std::string& name, const std::string& file,
                              const std::string& about) override {
    TRY([[maybe_unused]] const ModelVersion version, engine_->register_model(name, file, about));
    return model_of(*engine_->catalog(), name);
  }
  Result<RegisteredModel> promote(const ModelReference& model, const std::string& reason) override {
    TRY_OK(engine_->promote_model(model.name, model.version, reason));
    return model_of(*engine_->catalog(), model.name);
  }
  Result<RegisteredModel> roll_back(const std::string& name, const std::string& reason) override {
    TRY_OK(engine_->roll_back_model(name, reason));
    return model_of(*engine_->catalog(), name);
  }
  Result<RegisteredModel> remove(const ModelReference& model) override {
    TRY_OK(engine_->remove_model(model.name, model.version));
    return model_of(*engine_->catalog(), model.name);
  }
  Result<RegisteredModel> challenge(const ChallengeModel& change) override {
    TRY_OK(engine_->challenge_model(change));
    return model_of(*engine_->catalog(), change.name);
  }
  Result<RegisteredModel> retire(const std::string& name, const std::string& reason) override {
    TRY_OK(engine_->retire_challenger(name, reason));
    return model_of(*engine_->catalog(), name);
  }
  Result<RegisteredModel> teach(const ModelReference& model, bool is_learning,
                                const std::string& reason) override {
    TRY_OK(engine_->teach_model(model.name, model.version, is_learning, reason));
    return model_of(*engine_->catalog(), model.name);
  }
  Result<RegisteredModel> keep(const ModelReference& model) override {
    TRY_OK(engine_->keep_model(model.name, model.version));
    return model_of(*engine_->catalog(), model.name);
  }
  Result<std::string> compare(const std::string& name) override {
    return engine_->compare_model(name);
  }
  Status close() override { return engine_->close(); }

 private:
  std::unique_ptr<Engine> engine_;
};

// What is read here of a model as the server tells it.
Result<RegisteredModel> parse_model(const std::string& text) {
  dom::parser parser;
  dom::element root;
  dom::array versions;
  std::string_view name;
  if (parser.parse(text).get(root) || root["name"].get(name) || root["versions"].get(versions)) {
    return Error{Code::kUnavailable, "the server's answer makes no sense: " + text.substr(0, 200)};
  }
  RegisteredModel model;
  model.name = name;
  std::uint64_t promoted = 0;
  if (!root["promoted"].get(promoted)) {
    model.promotions.push_back(static_cast<std::uint32_t>(promoted));
  }
  std::uint64_t challenges = 0;
  double share = 0;
  if (!root["challenger"]["version"].get(challenges) && !root["challenger"]["share"].get(share)) {
    bool promotes = false;
    if (root["challenger"]["promote_when_better"].get(promotes)) promotes = false;
    model.challenger = {static_cast<std::uint32_t>(challenges), share, {}, promotes};
  }
  for (const dom::element one : versions) {
    ModelVersion version;
    std::uint64_t number = 0;
    std::string_view id, kind;
    bool is_learning = false;
    if (one["version"].get(number) || one["id"].get(id) || one["kind"].get(kind)) continue;
    version.number = static_cast<std::uint32_t>(number);
    version.id = id;
    version.kind = kind;
    if (!one["is_learning"].get(is_learning) && is_learning) {
      model.learning.push_back(version.number);
    }
    model.versions.push_back(std::move(version));
  }
  return model;
}

// Files are handed over in the workspace's folder, which must be on this machine.
class ServerChanges final : public ModelChanges {
 public:
  ServerChanges(Client client, std::string workspace)
      : client_(std::move(client)), workspace_(std::move(workspace)) {}

  Result<RegisteredModel> add(const std::string& name, const std::string& file,
                              const std::string& about) override {
    TRY_OK(require_workspace(workspace_));
    std::string id;
    {
      TRY(const ModelFile opened, ModelFile::open(file));
      if (opened.has(kFactorsKind)) {
        TRY_OK(ItemFactors::load(file));
      } else {
        TRY_OK(Trained::load(file));
      }
      id = opened.id();
    }
    TRY_OK(copy_model_file(file, path_in(workspace_, id)));
    std::string body;
    JsonWriter json(body);
    json.begin_object().field("name", name).field("id", id);
    if (!about.empty()) json.key("about").raw(about);
    json.end_object();
    TRY([[maybe_unused]] const std::string answer, client_.call("POST", "/api/v1/models", body));
    TRY(const std::string model, client_.call("GET", "/api/v1/models/" + name, ""));
    return parse_model(model);
  }
  Result<RegisteredModel> promote(const ModelReference& model, const std::string& reason) override {
    std::string body;
    JsonWriter(body)
        .begin_object()
        .field("version", std::uint64_t{model.version})
        .field("reason", reason)
        .end_object();
    return changed("POST", fmt::format("/api/v1/models/{}/promote", model.name), body);
  }
  Result<RegisteredModel> roll_back(const std::string& name, const std::string& reason) override {
    std::string body;
    JsonWriter(body).begin_object().field("reason", reason).end_object();
    return changed("POST", fmt::format("/api/v1/models/{}/roll_back", name), body);
  }
  Result<RegisteredModel> remove(const ModelReference& model) override {
    return changed("DELETE",
                   fmt::format("/api/v1/models/{}/versions/{}", model.name, model.version), "");
  }
  Result<RegisteredModel> challenge(const ChallengeModel& change) override {
    std::string body;
    JsonWriter json(body);
    json.begin_object().field("version", std::uint64_t{change.version});
    json.field("share", change.share).field("promote_when_better", change.promotes);
    json.field("reason", change.reason).end_object();
    return changed("POST", fmt::format("/api/v1/models/{}/challenge", change.name), body);
  }
  Result<RegisteredModel> retire(const std::string& name, const std::string& reason) override {
    std::string body;
    JsonWriter(body).begin_object().field("reason", reason).end_object();
    return changed("POST", fmt::format("/api/v1/models/{}/retire", name), body);
  }
  Result<RegisteredModel> teach(const ModelReference& model, bool is_learning,
                                const std::string& reason) override {
    std::string body;
    JsonWriter json(body);
    json.begin_object().field("version", std::uint64_t{model.version});
    json.field("is_learning", is_learning).field("reason", reason).end_object();
    return changed("POST", fmt::format("/api/v1/models/{}/learn", model.name), body);
  }
  Result<RegisteredModel> keep(const ModelReference& model) override {
    std::string body;
    JsonWriter(body).begin_object().field("version", std::uint64_t{model.version}).end_object();
    return changed("POST", fmt::format("/api/v1/models/{}/keep", model.name), body);
  }
  Result<std::string> compare(const std::string& name) override {
    return client_.call("GET", fmt::format("/api/v1/models/{}/comparison", name), "");
  }
  Status close() override { return ok_status(); }

 private:
  Result<RegisteredModel> changed(std::string_view method, const std::string& path,
                                  const std::string& body) {
    TRY(const std::string answer, client_.call(method, path, body));
    return parse_model(answer);
  }
  Client client_;
  const std::string workspace_;
};

}  // namespace

std::optional<ModelReference> model_reference(const std::string& text) {
  const auto at = text.find('@');
  ModelReference out{.name = text.substr(0, at)};
  if (!is_model_name(out.name)) return std::nullopt;
  if (at == std::string::npos) return out;
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data() + at + 1, end, out.version);
  if (fault != std::errc() || stop != end || out.version == 0) return std::nullopt;
  return out;
}

Result<std::string> find_model(const std::string& model, const std::string& workspace) {
  const auto reference = model_reference(model);
  if (!reference || fs::exists(model)) return model;
  if (workspace.empty()) {
    return Error{Code::kNotFound, fmt::format("{}: no such file", model), "model",
                 fmt::format("for a registered model {}, add --workspace", reference->name)};
  }
  TRY_OK(require_workspace(workspace));
  TRY(const Catalog catalog, observe_catalog(workspace));
  TRY(const RegisteredModel* const known, catalog.models().require(reference->name));
  const ModelVersion* const version =
      reference->version == 0 ? known->promoted() : known->version(reference->version);
  if (version != nullptr) return path_in(workspace, version->id);
  return Error{
      Code::kNotFound,
      reference->version == 0
          ? fmt::format("no version of model \"{}\" is promoted", reference->name)
          : fmt::format("model \"{}\" has no version {}", reference->name, reference->version),
      "model", "attune registry list shows the versions"};
}

Result<std::unique_ptr<ModelChanges>> ModelChanges::open(const Place& place) {
  if (place.server.empty()) {
    TRY(auto engine, open_stopped(place.workspace));
    return std::unique_ptr<ModelChanges>(std::make_unique<FolderChanges>(std::move(engine)));
  }
  TRY(Client client, connect_admin(place.server));
  return std::unique_ptr<ModelChanges>(
      std::make_unique<ServerChanges>(std::move(client), place.workspace));
}

}  // namespace attune
