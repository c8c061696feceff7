// Decisions: asked for, explained, and how well they go.
#include <fmt/format.h>

#include "api/body.h"
#include "api/handlers.h"

namespace attune {
namespace {

constexpr std::string_view kDecideFields[] = {"person", "placement", "n", "context", "candidates"};
constexpr std::size_t kMostCandidates = 10'000;
constexpr std::size_t kMostContextBytes = 4096;

// A text, or a whole number as one.
Status read_person(const JsonFields& fields, std::string& out) {
  std::int64_t number = 0;
  const auto found = fields.find("person");
  if (!found || found->get(number)) return fields.id("person", true, out);
  out = std::to_string(number);
  return ok_status();
}

Status read_candidates(const JsonFields& fields, std::vector<std::string>& out) {
  TRY_OK(fields.texts("candidates", out));
  if (out.size() > kMostCandidates) {
    return invalid_field("candidates", fmt::format("candidates holds {} ids, the limit is {}",
                                                   out.size(), kMostCandidates));
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (is_valid_external_id(out[i])) continue;
    return invalid_field(fmt::format("candidates[{}]", i),
                         fmt::format("candidates[{}] must be 1-256 bytes of UTF-8 without control "
                                     "characters",
                                     i));
  }
  return ok_status();
}

Status read_context(const JsonFields& fields, std::string& out) {
  const auto found = fields.find("context");
  if (!found) return ok_status();
  if (!found->is_object()) return fields.wrong("context", "an object");
  out = simdjson::minify(*found);
  const std::size_t size = out.size();
  if (size <= kMostContextBytes) return ok_status();
  return invalid_field(
      "context", fmt::format("context is {} bytes, the limit is {}", size, kMostContextBytes));
}

Result<DecideRequest> parse_decide(const std::string& body) {
  TRY(const simdjson::dom::object object, read_object(body));
  const JsonFields fields(object, "");
  TRY_OK(fields.only("field", kDecideFields));
  DecideRequest request;
  request.placement = "default";
  TRY_OK(read_person(fields, request.person_id));
  TRY_OK(fields.id("placement", false, request.placement));
  TRY_OK(fields.integer("n", 1, 100, request.n));
  TRY_OK(read_context(fields, request.context));
  TRY_OK(read_candidates(fields, request.candidates));
  return request;
}

}  // namespace

void decide_slate(const CallPtr& call) {
  const auto request = parse_decide(call->request.body);
  if (!request.ok()) return call->fail(request.error());
  const auto decision = call->engine().decide(*request);
  decision.ok() ? call->answer(decision_json(*decision, false)) : call->fail(decision.error());
}

void explain_decision(const CallPtr& call) {
  const auto decision = call->engine().find_decision(call->arguments[0]);
  decision.ok() ? call->answer(decision_json(*decision, true)) : call->fail(decision.error());
}

void show_learning(const CallPtr& call) { call->answer(call->engine().learning_json()); }

}  // namespace attune
