// Items and placements: control records of the catalog.
#include <fmt/format.h>

#include "api/body.h"
#include "api/handlers.h"
#include "base/json.h"
#include "catalog/control.h"
#include "engine/dial_preview.h"

namespace attune {
namespace {

// {"op":NAME,KEY:{"ID_KEY":ID, ...body}}
Result<std::string> control_of(std::string_view op, std::string_view key, std::string_view id_key,
                               std::string_view id, const std::string& body) {
  TRY(const simdjson::dom::object object, read_object(body));
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("op", op).key(key).begin_object().field(id_key, id);
  for (const auto field : object) {
    if (field.key != id_key) {
      json.key(field.key).raw(simdjson::minify(field.value));
      continue;
    }
    std::string_view given;
    if (!field.value.get(given) && given == id) continue;
    return invalid_field(std::string(id_key),
                         fmt::format("{} in the body is not the one in the path", id_key));
  }
  json.end_object().end_object();
  return out;
}

void change(Call& call, const Result<std::string>& record) {
  if (!record.ok()) return call.fail(record.error());
  const Status status = call.engine().control({*record});
  status.ok() ? call.done() : call.fail(status.error());
}

constexpr std::string_view kPreviewFields[] = {"persons", "freshness_half_life_s"};
constexpr double kLongestHalfLife = 3660.0 * 86400;

Result<DialQuestion> parse_preview(const std::string& name, const std::string& body) {
  TRY(const simdjson::dom::object object, read_object(body));
  const JsonFields fields(object, "");
  TRY_OK(fields.only("field", kPreviewFields));
  int persons = 200;
  TRY_OK(fields.integer("persons", 1, DialQuestion::kMostPersons, persons));
  DialQuestion question{.placement = name, .persons = static_cast<std::size_t>(persons)};
  double half_life_s = 0;
  TRY_OK(fields.number("freshness_half_life_s", 60, kLongestHalfLife, half_life_s));
  if (half_life_s > 0) question.freshness_half_life_s = half_life_s;
  return question;
}

// What cannot be is left out and named.
struct ItemBatch {
  std::vector<std::string> changes;
  std::string rejected;  // members of a JSON array
};

void add_item(simdjson::dom::element item, std::size_t index, Time now, ItemBatch& batch) {
  std::string record = "{\"op\":\"put_item\",\"item\":" + std::string(simdjson::minify(item)) + "}";
  const auto parsed = parse_control(record, now);
  if (parsed.ok()) {
    batch.changes.push_back(std::move(record));
    return;
  }
  if (!batch.rejected.empty()) batch.rejected += ",";
  JsonWriter json(batch.rejected);
  json.begin_object().field("index", static_cast<std::uint64_t>(index));
  json.field("field", parsed.error().field).field("reason", parsed.error().message).end_object();
}

}  // namespace

void put_items(const CallPtr& call) {
  const auto items = read_array(call->request.body);
  if (!items.ok()) return call->fail(items.error());
  if (items->size() == 0) {
    return call->fail({Code::kInvalid, "body must hold at least one item", "body", ""});
  }
  ItemBatch batch;
  std::size_t index = 0;
  const Time now = call->engine().now();
  for (const simdjson::dom::element item : *items) add_item(item, index++, now, batch);
  if (!batch.changes.empty()) {
    const Status stored = call->engine().control(batch.changes);
    if (!stored.ok()) return call->fail(stored.error());
  }
  const std::string rejected =
      batch.rejected.empty() ? "" : ",\"rejected\":[" + batch.rejected + "]";
  call->answer(fmt::format("{{\"success\":true,\"items\":{}{}}}", batch.changes.size(), rejected));
}

void put_item(const CallPtr& call) {
  change(*call, control_of("put_item", "item", "id", call->arguments[0], call->request.body));
}

void get_item(const CallPtr& call) {
  const auto catalog = call->engine().catalog();
  const Item* item = catalog->find(call->arguments[0]);
  if (item != nullptr) return call->answer(item_json(*item));
  call->fail({Code::kNotFound, "no item " + call->arguments[0], "id", ""});
}

void delete_item(const CallPtr& call) {
  std::string record;
  JsonWriter json(record);
  json.begin_object().field("op", "delete_item").field("id", call->arguments[0]).end_object();
  change(*call, record);
}

void list_placements(const CallPtr& call) {
  const auto catalog = call->engine().catalog();
  std::string body = "{\"placements\":[";
  for (const auto& [name, placement] : catalog->placements()) {
    if (body.back() != '[') body += ",";
    body += placement_json(placement);
  }
  call->answer(body + "]}");
}

void put_placement(const CallPtr& call) {
  change(*call,
         control_of("put_placement", "placement", "name", call->arguments[0], call->request.body));
}

void preview_placement(const CallPtr& call) {
  const auto question = parse_preview(call->arguments[0], call->request.body);
  if (!question.ok()) return call->fail(question.error());
  const auto preview = preview_dials(call->engine(), *question);
  preview.ok() ? call->answer(dial_preview_json(*preview)) : call->fail(preview.error());
}

void get_placement(const CallPtr& call) {
  const auto catalog = call->engine().catalog();
  const auto found = catalog->placements().find(call->arguments[0]);
  if (found != catalog->placements().end()) return call->answer(placement_json(found->second));
  call->fail({Code::kNotFound, "no placement " + call->arguments[0], "name",
              "decisions for it follow the placement \"default\""});
}

}  // namespace attune
