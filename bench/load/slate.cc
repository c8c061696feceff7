#include "load/slate.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <set>
#include <vector>

#include "base/hash.h"
#include "load/feed.h"

namespace attune::load {
namespace {

struct Kept {
  std::string body;
  int status = 0;
  Nanos took = 0;
};

bool is_item(std::string_view id, std::uint64_t items) {
  if (id.size() != 7 || id[0] != 'i') return false;
  std::uint64_t number = 0;
  for (const char c : id.substr(1)) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number < items;
}

std::string fault_of(simdjson::dom::element root, const SlatePlan& plan) {
  std::string_view decision;
  simdjson::dom::array shown;
  if (root["decision_id"].get(decision) || !decision.starts_with("d_")) return "no decision id";
  if (root["items"].get(shown)) return "no items";
  std::set<std::string_view> seen;
  for (const simdjson::dom::element item : shown) {
    std::string_view id;
    double propensity = 0;
    if (item["item_id"].get(id) || !is_item(id, plan.items)) return "an unknown item";
    if (!seen.insert(id).second) return "an item twice";
    if (item["propensity"].get(propensity) || !(propensity > 0 && propensity <= 1)) {
      return "a propensity outside (0, 1]";
    }
  }
  if (seen.size() == static_cast<std::size_t>(plan.n)) return {};
  return fmt::format("{} items, not {}", seen.size(), plan.n);
}

std::uint64_t person_of(std::uint64_t request, const SlatePlan& plan) {
  return mix64(plan.seed, request) % plan.persons;
}

std::string click_text(std::string_view decision, std::string_view item, std::uint64_t person) {
  return fmt::format(
      R"({{"type":"track","event":"Item Clicked","userId":"{}","messageId":"{}","properties":)"
      R"({{"item_id":"{}","decision_id":"{}"}}}})",
      person_id(person), decision, item, decision);
}

// The text of a field of a well-known answer; without a parser, as decisions are being timed.
std::string_view text_after(std::string_view answer, std::string_view name) {
  const auto at = answer.find(name);
  if (at == std::string_view::npos) return {};
  const auto begin = at + name.size();
  return answer.substr(begin, answer.find('"', begin) - begin);
}

// Which request of a play is what: a batch follows each `batch_after` decisions.
class Mix {
 public:
  Mix(const SlatePlan& plan, std::uint64_t run)
      : plan_(plan), feed_({.persons = plan.persons, .items = plan.items, .run = run}) {}
  std::uint64_t requests() const { return plan_.decisions + batches(); }
  double per_second() const {
    const double share = static_cast<double>(requests()) / static_cast<double>(plan_.decisions);
    return plan_.per_second * share;
  }
  std::uint64_t events() const { return batches() * kEvents; }
  bool is_batch(std::uint64_t request) const {
    return plan_.batch_after != 0 && request % (plan_.batch_after + 1) == plan_.batch_after;
  }
  std::uint64_t decision_of(std::uint64_t request) const {
    return plan_.batch_after == 0 ? request : request - request / (plan_.batch_after + 1);
  }
  void note(std::string_view answer, std::uint64_t decision) {
    if (plan_.batch_after == 0 || decision % kClickEvery != 0) return;
    const auto id = text_after(answer, R"("decision_id":")");
    const auto item = text_after(answer, R"("item_id":")");
    if (!id.empty() && !item.empty()) {
      clicks_ += "," + click_text(id, item, person_of(decision, plan_));
    }
  }
  void append_batch(std::uint64_t request, std::string& body) {
    const std::uint64_t batch = request / (plan_.batch_after + 1);
    feed_.append_batch(batch * kEvents, kEvents, time_text(), body);
    body.resize(body.size() - 2);  // "]}"
    body += clicks_ + "]}";
    clicks_.clear();
  }

 private:
  static constexpr std::uint64_t kEvents = 20, kClickEvery = 5;
  std::uint64_t batches() const {
    return plan_.batch_after == 0 ? 0 : plan_.decisions / plan_.batch_after;
  }
  const SlatePlan& plan_;
  Feed feed_;
  std::string clicks_;
};

void add_click(std::string_view answer, std::uint64_t person, Slates& slates) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view decision, item;
  const simdjson::padded_string padded(answer);
  if (parser.parse(padded).get(root) || root["decision_id"].get(decision) ||
      root["items"].at(0)["item_id"].get(item)) {
    return;
  }
  slates.clicks += slates.clicks.empty() ? R"({"batch":[)" : ",";
  slates.clicks += click_text(decision, item, person);
}

void judge(const Kept& kept, const SlatePlan& plan, Slates& slates) {
  if (kept.status == 0) return;
  if (kept.status == 503 || kept.status == 429) {
    ++slates.refused;
    return;
  }
  const std::string fault = kept.status == 200 ? fault_of(kept.body, plan) : "not 200";
  if (!fault.empty()) {
    ++slates.wrong;
    if (slates.first_fault.empty()) {
      slates.first_fault = fmt::format("{}: {} {}", fault, kept.status, kept.body.substr(0, 300));
    }
    return;
  }
  ++slates.right;
  slates.learned += kept.body.find("\"learned\"") != std::string::npos;
  slates.latency.add(static_cast<std::uint64_t>(kept.took / 1000));
}

}  // namespace

std::string fault_of(std::string_view answer, const SlatePlan& plan) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string padded(answer);
  return parser.parse(padded).get(root) ? "not JSON" : fault_of(root, plan);
}

Status put_placement(const Target& target, std::string_view name, int candidates) {
  TRY_OK(ask(target, "PUT", fmt::format("/api/v1/placements/{}", name),
             fmt::format(R"({{"candidates":{},"control_share":0,"epsilon":0.05}})", candidates)));
  return ok_status();
}

Result<Slates> ask_slates(const Target& target, const SlatePlan& slates_plan) {
  TRY(Wire wire, Wire::connect(target.host, target.port, target.connections));
  std::vector<Kept> kept(slates_plan.decisions);
  Mix mix(slates_plan, slates_plan.seed);
  Slates slates;
  Plan plan{.requests = mix.requests(), .per_second = mix.per_second()};
  std::string body;
  plan.write = [&](std::uint64_t request, std::string& out) {
    if (mix.is_batch(request)) {
      body.clear();
      mix.append_batch(request, body);
      return append_request(out, "POST", "/v1/batch", target.key, body);
    }
    append_request(out, "POST", "/api/v1/decide", target.key,
                   fmt::format(R"({{"person":"{}","placement":"{}","n":{}}})",
                               person_id(person_of(mix.decision_of(request), slates_plan)),
                               slates_plan.placement, slates_plan.n));
  };
  plan.answered = [&](const Answer& answer) {
    if (mix.is_batch(answer.request)) {
      slates.events_refused += answer.status == 200 ? 0 : 1;
      return false;
    }
    const std::uint64_t decision = mix.decision_of(answer.request);
    kept[decision] = {std::string(answer.body), answer.status, answer.received - answer.due};
    mix.note(answer.body, decision);
    return false;
  };
  TRY(const Played played, wire.play(plan));
  slates.seconds = played.seconds;
  slates.lost = played.lost;
  slates.events = mix.events();
  for (std::uint64_t request = 0; request < kept.size(); ++request) {
    judge(kept[request], slates_plan, slates);
    if (request < 500) add_click(kept[request].body, person_of(request, slates_plan), slates);
  }
  if (!slates.clicks.empty()) slates.clicks += "]}";
  return slates;
}

void write_slates(JsonWriter& json, const Slates& slates) {
  json.field("right", slates.right).field("learned", slates.learned);
  json.field("events_beside", slates.events).field("batches_refused", slates.events_refused);
  json.field("refused", slates.refused).field("wrong", slates.wrong).field("lost", slates.lost);
  write_latency(json, slates.latency);
  if (!slates.first_fault.empty()) json.field("first_fault", slates.first_fault);
}

}  // namespace attune::load
