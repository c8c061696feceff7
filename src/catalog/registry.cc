#include "catalog/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/json.h"
#include "base/nearest.h"

namespace attune {
namespace {

constexpr std::array<std::string_view, 9> kStepNames = {"register", "promote", "roll_back",
                                                        "remove",   "shadow",  "canary",
                                                        "retire",   "learn",   "stop_learning"};
constexpr std::size_t kIdBytes = 28;

Error no_version(const RegisteredModel& model, std::uint32_t number) {
  std::vector<std::uint32_t> numbers;
  for (const ModelVersion& version : model.versions) numbers.push_back(version.number);
  return {Code::kNotFound, fmt::format("model \"{}\" has no version {}", model.name, number),
          "version", fmt::format("its versions: {}", fmt::join(numbers, ", "))};
}

void note(RegisteredModel& model, ModelStep step) {
  model.steps.push_back(std::move(step));
  if (model.steps.size() > ModelRegistry::kStepsKept) model.steps.erase(model.steps.begin());
}

std::uint32_t promoted_number(const RegisteredModel& model) {
  return model.promotions.empty() ? 0 : model.promotions.back();
}

void write_version(const RegisteredModel& model, const ModelVersion& version, JsonWriter& json) {
  json.begin_object().field("version", std::uint64_t{version.number}).field("id", version.id);
  json.field("kind", version.kind).field("input", version.input).field("bytes", version.bytes);
  json.field("created", format_iso8601(version.created))
      .field("is_promoted", version.number == promoted_number(model));
  json.field("is_learning", model.is_learning(version.number));
  json.key("about").raw(version.about.empty() ? "{}" : version.about).end_object();
}

}  // namespace

std::string_view step_name(ModelStep::What what) {
  const auto i = static_cast<std::size_t>(what);
  return i < kStepNames.size() ? kStepNames[i] : "unknown";
}

bool is_model_id(std::string_view text) {
  const auto is_base32 = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return text.size() == kIdBytes && text.starts_with("m_") &&
         std::all_of(text.begin() + 2, text.end(), is_base32);
}

bool is_model_name(std::string_view text) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_plain = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= 64 && is_letter(text[0]) &&
         std::all_of(text.begin(), text.end(), is_plain);
}

const ModelVersion* RegisteredModel::version(std::uint32_t number) const {
  const auto at = std::find_if(versions.begin(), versions.end(),
                               [&](const ModelVersion& v) { return v.number == number; });
  return at == versions.end() ? nullptr : &*at;
}

bool RegisteredModel::is_learning(std::uint32_t number) const {
  return std::binary_search(learning.begin(), learning.end(), number);
}

bool RegisteredModel::is_held(std::uint32_t number) const {
  if (challenger && challenger->version == number) return true;
  const std::size_t held = std::min<std::size_t>(promotions.size(), 2);
  return std::find(promotions.end() - static_cast<std::ptrdiff_t>(held), promotions.end(),
                   number) != promotions.end();
}

const ModelVersion* RegisteredModel::promoted() const { return version(promoted_number(*this)); }

const RegisteredModel* ModelRegistry::find(std::string_view name) const {
  const auto found = models_.find(name);
  return found == models_.end() ? nullptr : &found->second;
}

Result<const RegisteredModel*> ModelRegistry::require(std::string_view name) const {
  if (const RegisteredModel* const found = find(name)) return found;
  std::vector<std::string> names;
  for (const auto& [known, model] : models_) names.push_back(known);
  const std::string near = nearest(name.substr(0, 64), names);
  return Error{Code::kNotFound,
               fmt::format("no model \"{}\" is registered{}", name.substr(0, 64),
                           near.empty() ? "" : ", did you mean \"" + near + "\"?"),
               "name",
               names.empty() ? "attune registry register registers one"
                             : fmt::format("there are {}", fmt::join(names, ", "))};
}

Result<RegisteredModel*> ModelRegistry::change(std::string_view name) {
  TRY(const RegisteredModel* const known, require(name));
  return &models_.find(known->name)->second;
}

Status ModelRegistry::apply(RegisterModel change, Time when) {
  const auto found = models_.find(change.name);
  if (found == models_.end() && models_.size() == kMostModels) {
    return Error{Code::kConflict, fmt::format("there are {} models already", kMostModels), "name",
                 ""};
  }
  RegisteredModel& model = models_[change.name];
  model.name = change.name;
  for (const ModelVersion& version : model.versions) {
    if (version.id != change.version.id) continue;
    return Error{Code::kConflict,
                 fmt::format("{} is version {} of model \"{}\" already", version.id, version.number,
                             model.name),
                 "id", "nothing is to be done"};
  }
  if (model.versions.size() == kMostVersions) {
    return Error{Code::kConflict,
                 fmt::format("model \"{}\" has {} versions already", model.name, kMostVersions),
                 "name", "remove old ones: attune registry remove NAME@VERSION"};
  }
  change.version.number = ++model.last_number;
  change.version.created = when;
  model.versions.push_back(std::move(change.version));
  note(model, {ModelStep::What::kRegister, when, model.last_number, ""});
  return ok_status();
}

Status ModelRegistry::apply(const PromoteModel& change, Time when) {
  TRY(RegisteredModel* const model, this->change(change.name));
  if (model->version(change.version) == nullptr) return no_version(*model, change.version);
  if (promoted_number(*model) == change.version) {
    return Error{
        Code::kConflict,
        fmt::format("version {} of model \"{}\" is promoted already", change.version, model->name),
        "version", "nothing is to be done"};
  }
  if (model->challenger && model->challenger->version == change.version) {
    model->challenger.reset();
  }
  model->promotions.push_back(change.version);
  if (model->promotions.size() > kStepsKept) model->promotions.erase(model->promotions.begin());
  note(*model, {ModelStep::What::kPromote, when, change.version, change.reason});
  return ok_status();
}

Status ModelRegistry::apply(const RollBackModel& change, Time when) {
  TRY(RegisteredModel* const model, this->change(change.name));
  if (model->promotions.empty()) {
    return Error{Code::kConflict,
                 fmt::format("no version of model \"{}\" is promoted", model->name), "name",
                 "there is nothing to roll back"};
  }
  model->promotions.pop_back();
  note(*model, {ModelStep::What::kRollBack, when, promoted_number(*model), change.reason});
  return ok_status();
}

Status ModelRegistry::apply(const RemoveModel& change, Time when) {
  TRY(RegisteredModel* const model, this->change(change.name));
  if (model->version(change.version) == nullptr) return no_version(*model, change.version);
  if (model->is_held(change.version)) {
    return Error{
        Code::kConflict,
        fmt::format("version {} of model \"{}\" is promoted, was before the one that is, or "
                    "challenges it",
                    change.version, model->name),
        "version", "roll back or retire it, or leave it"};
  }
  std::erase(model->promotions, change.version);
  std::erase(model->learning, change.version);
  std::erase_if(model->versions,
                [&](const ModelVersion& version) { return version.number == change.version; });
  note(*model, {ModelStep::What::kRemove, when, change.version, ""});
  return ok_status();
}

Status ModelRegistry::apply(const ChallengeModel& change, Time when) {
  TRY(RegisteredModel* const model, this->change(change.name));
  if (model->version(change.version) == nullptr) return no_version(*model, change.version);
  const auto refuse = [&](std::string_view why, const char* hint) {
    return Error{Code::kConflict,
                 fmt::format("version {} of model \"{}\" {}", change.version, model->name, why),
                 "version", hint};
  };
  if (promoted_number(*model) == change.version) {
    return refuse("is promoted: it cannot challenge itself", "name another version");
  }
  const auto& now = model->challenger;
  if (change.promotes && !(change.share > 0)) {
    return Error{Code::kInvalid,
                 "a shadow ranks for nobody, so that nothing tells whether it is better",
                 "promote_when_better", "a canary can be promoted by itself"};
  }
  if (now && now->version == change.version && now->share == change.share &&
      now->promotes == change.promotes) {
    return refuse("challenges already", "nothing is to be done");
  }
  const bool is_same = now && now->version == change.version;
  const bool goes_on = is_same && now->share > 0 && change.share > 0;
  model->challenger = {change.version, change.share, goes_on ? now->since : when, change.promotes};
  const auto what = change.share > 0 ? ModelStep::What::kCanary : ModelStep::What::kShadow;
  note(*model, {what, when, change.version, change.reason});
  return ok_status();
}

Status ModelRegistry::apply(const RetireChallenger& change, Time when) {
  TRY(RegisteredModel* const model, this->change(change.name));
  if (!model->challenger) {
    return Error{Code::kConflict, fmt::format("model \"{}\" has no challenger", model->name),
                 "name", "there is nothing to retire"};
  }
  note(*model, {ModelStep::What::kRetire, when, model->challenger->version, change.reason});
  model->challenger.reset();
  return ok_status();
}

std::size_t ModelRegistry::learning() const {
  std::size_t all = 0;
  for (const auto& [name, model] : models_) all += model.learning.size();
  return all;
}

Status ModelRegistry::apply(const TeachModel& change, Time when) {
  TRY(RegisteredModel* const model, this->change(change.name));
  if (model->version(change.version) == nullptr) return no_version(*model, change.version);
  if (model->is_learning(change.version) == change.is_learning) {
    return Error{Code::kConflict,
                 fmt::format("version {} of model \"{}\" {}", change.version, model->name,
                             change.is_learning ? "learns already" : "does not learn"),
                 "version", "nothing is to be done"};
  }
  if (change.is_learning && learning() == kMostLearning) {
    return Error{Code::kConflict, fmt::format("{} versions learn already", kMostLearning),
                 "version", "let another stop: attune registry learn NAME@VERSION --stop"};
  }
  if (change.is_learning) {
    const auto at =
        std::lower_bound(model->learning.begin(), model->learning.end(), change.version);
    model->learning.insert(at, change.version);
  } else {
    std::erase(model->learning, change.version);
  }
  note(*model, {change.is_learning ? ModelStep::What::kLearn : ModelStep::What::kStopLearning, when,
                change.version, change.reason});
  return ok_status();
}

void ModelRegistry::encode(Writer& out) const {
  out.varint(models_.size());
  for (const auto& [name, model] : models_) {
    out.str(name);
    out.varint(model.last_number);
    out.varint(model.versions.size());
    for (const ModelVersion& version : model.versions) {
      out.varint(version.number);
      out.str(version.id);
      out.str(version.kind);
      out.str(version.input);
      out.varint(version.bytes);
      out.svarint(to_us(version.created));
      out.str(version.about);
    }
    out.varint(model.promotions.size());
    for (const std::uint32_t number : model.promotions) out.varint(number);
    out.u8(model.challenger ? 1 : 0);
    if (model.challenger) {
      out.varint(model.challenger->version);
      out.f64(model.challenger->share);
      out.svarint(to_us(model.challenger->since));
      out.u8(model.challenger->promotes ? 1 : 0);
    }
    out.varint(model.learning.size());
    for (const std::uint32_t number : model.learning) out.varint(number);
    out.varint(model.steps.size());
    for (const ModelStep& step : model.steps) {
      out.u8(static_cast<std::uint8_t>(step.what));
      out.svarint(to_us(step.time));
      out.varint(step.version);
      out.str(step.reason);
    }
  }
}

namespace {

void decode_challenger(Reader& in, std::uint8_t format, RegisteredModel& model) {
  if (in.u8() == 1) {
    Challenger& challenger = model.challenger.emplace();
    challenger.version = static_cast<std::uint32_t>(in.varint());
    challenger.share = in.f64();
    challenger.since = time_from_us(in.svarint());
    challenger.promotes = format >= 7 && in.u8() == 1;
  }
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    model.learning.push_back(static_cast<std::uint32_t>(in.varint()));
  }
}

RegisteredModel decode_registered(Reader& in, std::uint8_t format) {
  RegisteredModel model;
  model.name = in.str();
  model.last_number = static_cast<std::uint32_t>(in.varint());
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    ModelVersion& version = model.versions.emplace_back();
    version.number = static_cast<std::uint32_t>(in.varint());
    version.id = in.str();
    version.kind = in.str();
    version.input = in.str();
    version.bytes = in.varint();
    version.created = time_from_us(in.svarint());
    version.about = in.str();
  }
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    model.promotions.push_back(static_cast<std::uint32_t>(in.varint()));
  }
  if (format >= 6) decode_challenger(in, format, model);
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    ModelStep& step = model.steps.emplace_back();
    step.what = static_cast<ModelStep::What>(in.u8());
    step.time = time_from_us(in.svarint());
    step.version = static_cast<std::uint32_t>(in.varint());
    step.reason = in.str();
  }
  return model;
}

}  // namespace

void ModelRegistry::decode(Reader& in, std::uint8_t format) {
  models_.clear();
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    RegisteredModel model = decode_registered(in, format);
    std::string name = model.name;
    models_.insert_or_assign(std::move(name), std::move(model));
  }
}

std::string model_json(const RegisteredModel& model) {
  const std::uint32_t promoted = promoted_number(model);
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("name", model.name).key("promoted");
  promoted == 0 ? json.null() : json.value(std::uint64_t{promoted});
  json.key("challenger");
  if (model.challenger) {
    json.begin_object().field("version", std::uint64_t{model.challenger->version});
    json.field("share", model.challenger->share);
    json.field("since", format_iso8601(model.challenger->since));
    json.field("promote_when_better", model.challenger->promotes).end_object();
  } else {
    json.null();
  }
  json.key("versions").begin_array();
  for (const ModelVersion& version : model.versions) {
    write_version(model, version, json);
  }
  json.end_array().key("steps").begin_array();
  for (const ModelStep& step : model.steps) {
    json.begin_object().field("step", step_name(step.what));
    json.field("time", format_iso8601(step.time)).key("version");
    step.version == 0 ? json.null() : json.value(std::uint64_t{step.version});
    json.field("reason", step.reason).end_object();
  }
  json.end_array().end_object();
  return out;
}

std::string challenge_json(const ChallengeModel& change) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("op", "challenge_model").field("name", change.name);
  json.field("version", std::uint64_t{change.version}).field("share", change.share);
  if (change.promotes) json.field("promote_when_better", true);
  if (!change.reason.empty()) json.field("reason", change.reason);
  json.end_object();
  return out;
}

}  // namespace attune
