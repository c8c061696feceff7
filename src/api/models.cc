// Registered models: which there are, which is promoted. Their files lie beside the journal.
#include <charconv>

#include "api/body.h"
#include "api/handlers.h"
#include "base/json.h"
#include "engine/engine.h"

namespace attune {
namespace {

constexpr std::string_view kRegisterFields[] = {"name", "id", "about"};
constexpr std::string_view kPromoteFields[] = {"version", "reason"};
constexpr std::string_view kKeepFields[] = {"version"};
constexpr std::string_view kReasonFields[] = {"reason"};
constexpr std::string_view kChallengeFields[] = {"version", "share", "promote_when_better",
                                                 "reason"};
constexpr std::string_view kTeachFields[] = {"version", "is_learning", "reason"};

struct Registration {
  std::string name, id, about;
};

Result<Registration> registration(const std::string& body) {
  TRY(const simdjson::dom::object object, read_object(body));
  const JsonFields fields(object, "");
  TRY_OK(fields.only("field", kRegisterFields));
  Registration out;
  TRY_OK(fields.id("name", true, out.name));
  TRY_OK(fields.id("id", true, out.id));
  if (!is_model_id(out.id)) {
    return fields.wrong("id", "the id of a model file in the workspace's folder registry");
  }
  if (const auto about = fields.find("about")) out.about = simdjson::minify(*about);
  return out;
}

Result<std::string> reason_of(const JsonFields& fields) {
  std::string reason;
  TRY_OK(fields.text("reason", reason));
  return reason;
}

Result<std::uint32_t> version_of(const JsonFields& fields) {
  if (!fields.find("version")) return invalid_field("version", "version is missing");
  int version = 0;
  TRY_OK(fields.integer("version", 1, 1'000'000'000, version));
  return static_cast<std::uint32_t>(version);
}

Status promote(const Call& call) {
  TRY(const simdjson::dom::object object, read_object(call.request.body));
  const JsonFields fields(object, "");
  TRY_OK(fields.only("field", kPromoteFields));
  TRY(const std::string reason, reason_of(fields));
  TRY(const std::uint32_t version, version_of(fields));
  return call.engine().promote_model(call.arguments[0], version, reason);
}

Status challenge(const Call& call) {
  TRY(const simdjson::dom::object object, read_object(call.request.body));
  const JsonFields fields(object, "");
  TRY_OK(fields.only("field", kChallengeFields));
  ChallengeModel change{.name = call.arguments[0]};
  TRY(change.reason, reason_of(fields));
  TRY(change.version, version_of(fields));
  TRY_OK(fields.number("share", 0, ModelRegistry::kMostShare, change.share));
  TRY_OK(fields.flag("promote_when_better", change.promotes));
  return call.engine().challenge_model(change);
}

Status retire(const Call& call) {
  TRY(const simdjson::dom::object object, read_object(call.request.body));
  const JsonFields fields(object, "");
  TRY_OK(fields.only("field", kReasonFields));
  TRY(const std::string reason, reason_of(fields));
  return call.engine().retire_challenger(call.arguments[0], reason);
}

Status teach(const Call& call) {
  TRY(const simdjson::dom::object object, read_object(call.request.body));
  const JsonFields fields(object, "");
  TRY_OK(fields.only("field", kTeachFields));
  TRY(const std::string reason, reason_of(fields));
  TRY(const std::uint32_t version, version_of(fields));
  bool is_learning = true;
  TRY_OK(fields.flag("is_learning", is_learning));
  return call.engine().teach_model(call.arguments[0], version, is_learning, reason);
}

Status keep(const Call& call) {
  TRY(const simdjson::dom::object object, read_object(call.request.body));
  const JsonFields fields(object, "");
  TRY_OK(fields.only("field", kKeepFields));
  TRY(const std::uint32_t version, version_of(fields));
  TRY_OK(call.engine().keep_model(call.arguments[0], version));
  return ok_status();
}

Status roll_back(const Call& call) {
  TRY(const simdjson::dom::object object, read_object(call.request.body));
  const JsonFields fields(object, "");
  TRY_OK(fields.only("field", kReasonFields));
  TRY(const std::string reason, reason_of(fields));
  return call.engine().roll_back_model(call.arguments[0], reason);
}

// The model as it is now.
void answer_model(Call& call, const Status& status) {
  if (!status.ok()) return call.fail(status.error());
  const auto catalog = call.engine().catalog();
  const auto model = catalog->models().require(call.arguments[0]);
  model.ok() ? call.answer(model_json(**model)) : call.fail(model.error());
}

}  // namespace

void list_models(const CallPtr& call) {
  const auto catalog = call->engine().catalog();
  std::string body = "{\"models\":[";
  for (const auto& [name, model] : catalog->models().models()) {
    if (body.back() != '[') body += ",";
    body += model_json(model);
  }
  call->answer(body + "]}");
}

void get_model(const CallPtr& call) { answer_model(*call, ok_status()); }

void register_model(const CallPtr& call) {
  const auto given = registration(call->request.body);
  if (!given.ok()) return call->fail(given.error());
  const auto version = call->engine().register_model(given->name, given->id, given->about);
  if (!version.ok()) return call->fail(version.error());
  std::string body;
  JsonWriter(body)
      .begin_object()
      .field("success", true)
      .field("name", given->name)
      .field("version", std::uint64_t{version->number})
      .end_object();
  call->answer(std::move(body));
}

void promote_model(const CallPtr& call) { answer_model(*call, promote(*call)); }

void roll_back_model(const CallPtr& call) { answer_model(*call, roll_back(*call)); }

void challenge_model(const CallPtr& call) { answer_model(*call, challenge(*call)); }

void retire_challenger(const CallPtr& call) { answer_model(*call, retire(*call)); }

void teach_model(const CallPtr& call) { answer_model(*call, teach(*call)); }

void keep_model(const CallPtr& call) { answer_model(*call, keep(*call)); }

void compare_model(const CallPtr& call) {
  auto comparison = call->engine().compare_model(call->arguments[0]);
  comparison.ok() ? call->answer(std::move(comparison).value()) : call->fail(comparison.error());
}

void remove_model(const CallPtr& call) {
  const std::string& text = call->arguments[1];
  std::uint32_t version = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (fault != std::errc() || end != text.data() + text.size()) {
    return call->fail({Code::kNotFound, "no version " + text, "version", "versions are numbers"});
  }
  answer_model(*call, call->engine().remove_model(call->arguments[0], version));
}

}  // namespace attune
