#include "catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/json.h"
#include "catalog/control.h"
#include "catalog/item_maker.h"
#include "catalog/item_vector.h"

namespace attune {
namespace {

// 2: with keys; 3: with models; 4: with dials of placements; 5: with their retrievers
constexpr std::uint8_t kFormat = 7;
constexpr std::size_t kMostKeys = 1000;

void encode_item(const Item& item, Writer& out) {
  out.str(item.id);
  out.str(item.category);
  out.varint(item.tags.size());
  for (const auto& tag : item.tags) out.str(tag);
  out.f64(item.price);
  out.u8(item.is_hidden ? 1 : 0);
  out.svarint(to_us(item.created));
  out.str(item.attributes);
}

void encode_placement(const Placement& p, Writer& out) {
  out.str(p.name);
  out.f64(p.epsilon);
  out.f64(p.control_share);
  out.f64(p.seen_window_s);
  out.f64(p.outcome_window_s);
  out.u8(p.is_impression_served ? 1 : 0);
  out.svarint(p.candidates);
  out.str(p.model);
  out.f64(p.diversity);
  out.f64(p.freshness);
  out.f64(p.freshness_half_life_s);
  out.str(p.retriever);
  out.f64(p.negative_after_s);
  out.varint(p.rules.size());
  for (const auto& rule : p.rules) {
    out.u8(static_cast<std::uint8_t>(rule.kind));
    out.str(rule.item_id);
    out.str(rule.category);
    out.svarint(rule.position);
    out.f64(rule.factor);
    out.svarint(rule.limit);
  }
}

void encode_key(const StoredKey& key, Writer& out) {
  out.str(key.id);
  out.str(key.name);
  out.str(key.hash);
  out.str(key.salt);
  out.u8(key.scopes);
  out.svarint(to_us(key.created));
  out.u8(key.is_revoked ? 1 : 0);
}

StoredKey decode_key(Reader& in) {
  StoredKey key;
  key.id = in.str();
  key.name = in.str();
  key.hash = in.str();
  key.salt = in.str();
  key.scopes = in.u8();
  key.created = time_from_us(in.svarint());
  key.is_revoked = in.u8() != 0;
  return key;
}

// Of one item as the allocator gives it; strings within their own object cost nothing more.
std::size_t size_of(const Item& item) {
  const auto text = [](const std::string& s) { return s.size() > 15 ? s.size() + 16 : 0; };
  std::size_t bytes = sizeof(Item) + 32 + (item.tags.empty() ? 0 : 16);
  bytes += item.topics.empty() ? 0 : item.topics.capacity() * sizeof(Topic) + 16;
  bytes += item.vector.empty() ? 0 : item.vector.capacity() * sizeof(float) + 16;
  bytes += text(item.id) + text(item.category) + text(item.attributes);
  for (const auto& tag : item.tags) bytes += sizeof(std::string) + text(tag);
  return bytes;
}

Item decode_item(Reader& in) {
  Item item;
  item.id = in.str();
  item.key = item_key(item.id);
  item.category = in.str();
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) item.tags.emplace_back(in.str());
  item.price = in.f64();
  item.is_hidden = in.u8() != 0;
  item.created = time_from_us(in.svarint());
  item.attributes = in.str();
  return item;
}

Rule decode_rule(Reader& in) {
  Rule rule;
  rule.kind = static_cast<Rule::Kind>(in.u8());
  rule.item_id = in.str();
  rule.category = in.str();
  rule.position = static_cast<int>(in.svarint());
  rule.factor = in.f64();
  rule.limit = static_cast<int>(in.svarint());
  return rule;
}

Placement decode_placement(Reader& in, std::uint8_t format) {
  Placement p;
  p.name = in.str();
  p.epsilon = in.f64();
  p.control_share = in.f64();
  p.seen_window_s = in.f64();
  p.outcome_window_s = in.f64();
  p.is_impression_served = in.u8() != 0;
  p.candidates = static_cast<int>(in.svarint());
  if (format >= 3) p.model = in.str();
  if (format >= 4) {
    p.diversity = in.f64();
    p.freshness = in.f64();
    p.freshness_half_life_s = in.f64();
  }
  if (format >= 5) p.retriever = in.str();
  if (format >= 6) p.negative_after_s = in.f64();
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) p.rules.push_back(decode_rule(in));
  return p;
}

}  // namespace

Status Catalog::put(Item item) {
  const std::uint32_t* const found = index_.find(item.key);
  if (found && items_[*found]->id != item.id) {
    return Error{Code::kConflict, fmt::format("item id \"{}\" has the hash of another", item.id),
                 "item.id", "choose another id"};
  }
  const std::size_t slot = found ? *found : items_.size();
  if (found) {
    bytes_ -= size_of(*items_[slot]);
  } else {
    index_.change(item.key) = static_cast<std::uint32_t>(slot);
    items_.push_back(nullptr);
  }
  item.topics = topics_of(item.category, item.tags);
  item.vector = vector_of(item.attributes);
  item.maker = maker_of(item.attributes);
  bytes_ += size_of(item);
  items_.change(slot) = std::make_shared<const Item>(std::move(item));
  return ok_status();
}

Status Catalog::apply(std::string_view control_json, Time received) {
  TRY(Control control, parse_control(control_json, received));
  if (auto* item = std::get_if<Item>(&control)) return put(std::move(*item));
  if (auto* placement = std::get_if<Placement>(&control)) return put(std::move(*placement));
  if (auto* key = std::get_if<StoredKey>(&control)) return put(std::move(*key));
  if (const auto* gone = std::get_if<RevokeKey>(&control)) return revoke(gone->id);
  if (auto* plan = std::get_if<PutPlan>(&control)) {
    plan_ = std::move(plan->toml);
    return ok_status();
  }
  if (auto* model = std::get_if<RegisterModel>(&control)) {
    return models_.apply(std::move(*model), received);
  }
  if (const auto* promoted = std::get_if<PromoteModel>(&control)) {
    return models_.apply(*promoted, received);
  }
  if (const auto* back = std::get_if<RollBackModel>(&control)) {
    return models_.apply(*back, received);
  }
  if (const auto* removed = std::get_if<RemoveModel>(&control)) {
    return models_.apply(*removed, received);
  }
  if (const auto* challenge = std::get_if<ChallengeModel>(&control)) {
    return models_.apply(*challenge, received);
  }
  if (const auto* retired = std::get_if<RetireChallenger>(&control)) {
    return models_.apply(*retired, received);
  }
  if (const auto* taught = std::get_if<TeachModel>(&control)) {
    return models_.apply(*taught, received);
  }
  return remove_item(std::get<DeleteItem>(control).id);
}

Status Catalog::put(Placement placement) {
  for (const auto& [field, name] : {std::pair("placement.model", &placement.model),
                                    std::pair("placement.retriever", &placement.retriever)}) {
    if (name->empty()) continue;
    if (auto known = models_.require(*name); !known.ok()) {
      Error error = std::move(known).error();
      error.field = field;
      return error;
    }
  }
  std::string name = placement.name;
  placements_.insert_or_assign(std::move(name), std::move(placement));
  return ok_status();
}

Status Catalog::put(StoredKey key) {
  if (keys_.contains(key.id)) {
    return Error{Code::kConflict, fmt::format("there is a key \"{}\" already", key.id), "key.id",
                 "make a new key and revoke this one"};
  }
  if (keys_.size() == kMostKeys) {
    return Error{Code::kConflict, fmt::format("there are {} keys already", kMostKeys), "key", ""};
  }
  std::string id = key.id;
  keys_.emplace(std::move(id), std::move(key));
  return ok_status();
}

Status Catalog::revoke(const std::string& id) {
  const auto found = keys_.find(id);
  if (found == keys_.end()) {
    return Error{Code::kNotFound, fmt::format("no key \"{}\"", id), "id"};
  }
  found->second.is_revoked = true;
  return ok_status();
}

Status Catalog::remove_item(const std::string& id) {
  const std::uint32_t* const found = index_.find(item_key(id));
  if (found == nullptr || items_[*found]->id != id) {
    return Error{Code::kNotFound, fmt::format("no item \"{}\"", id), "id"};
  }
  const std::uint32_t hole = *found;
  bytes_ -= size_of(*items_[hole]);
  index_.erase(item_key(id));
  if (hole + 1 != items_.size()) {
    std::shared_ptr<const Item> last = items_[items_.size() - 1];
    index_.change(last->key) = hole;
    items_.change(hole) = std::move(last);
  }
  items_.pop_back();
  return ok_status();
}

std::size_t Catalog::memory_bytes() const {
  return bytes_ + items_.memory_bytes() + index_.memory_bytes();
}

const Item* Catalog::find(ItemKey key) const {
  const std::uint32_t* const found = index_.find(key);
  return found ? items_[*found].get() : nullptr;
}

const Placement& Catalog::placement(std::string_view name) const {
  static const Placement plain;
  auto found = placements_.find(name);
  if (found == placements_.end()) found = placements_.find("default");
  return found == placements_.end() ? plain : found->second;
}

void Catalog::encode(std::string& out) const {
  std::vector<const Item*> sorted;
  sorted.reserve(items_.size());
  for (const auto& item : items_) sorted.push_back(item.get());
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->id < b->id; });
  Writer writer(out);
  writer.u8(kFormat);
  writer.varint(sorted.size());
  for (const auto* item : sorted) encode_item(*item, writer);
  writer.varint(placements_.size());
  for (const auto& [name, placement] : placements_) encode_placement(placement, writer);
  writer.varint(keys_.size());
  for (const auto& [id, key] : keys_) encode_key(key, writer);
  writer.str(plan_);
  models_.encode(writer);
}

Result<Catalog> Catalog::decode(std::string_view bytes) {
  const Error damaged{Code::kCorrupt, "catalog bytes are damaged"};
  Reader in(bytes);
  const std::uint8_t format = in.u8();
  if (format > kFormat) {
    return Error{
        Code::kCorrupt,
        fmt::format("the catalog has format {}, this program reads up to {}", format, kFormat), "",
        "use the newer program, or restore a backup made by this one"};
  }
  if (format == 0) return damaged;
  Catalog catalog;
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    Item item = decode_item(in);
    if (in.ok()) TRY_OK(catalog.put(std::move(item)));
  }
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    Placement placement = decode_placement(in, format);
    std::string name = placement.name;
    catalog.placements_.insert_or_assign(std::move(name), std::move(placement));
  }
  for (std::uint64_t n = format >= 2 ? in.varint() : 0; n > 0 && in.ok(); --n) {
    StoredKey key = decode_key(in);
    std::string id = key.id;
    catalog.keys_.insert_or_assign(std::move(id), std::move(key));
  }
  if (format >= 2) catalog.plan_ = in.str();
  if (format >= 3) catalog.models_.decode(in, format);
  if (!in.ok() || !in.done()) return damaged;
  return catalog;
}

std::string item_json(const Item& item) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("id", item.id).field("category", item.category);
  json.key("tags").begin_array();
  for (const auto& tag : item.tags) json.value(tag);
  json.end_array().field("price", item.price).field("is_hidden", item.is_hidden);
  json.field("created", format_iso8601(item.created));
  json.key("attributes").raw(item.attributes.empty() ? "{}" : item.attributes);
  json.end_object();
  return out;
}

namespace {

void write_rule(const Rule& rule, JsonWriter& json) {
  constexpr std::string_view kKinds[] = {"pin", "hide", "boost", "max_per_category"};
  json.begin_object().field("kind", kKinds[static_cast<std::size_t>(rule.kind)]);
  if (!rule.item_id.empty()) json.field("item_id", rule.item_id);
  if (!rule.category.empty()) json.field("category", rule.category);
  if (rule.kind == Rule::Kind::kPin) json.field("position", rule.position);
  if (rule.kind == Rule::Kind::kBoost) json.field("factor", rule.factor);
  if (rule.kind == Rule::Kind::kMaxPerCategory) json.field("limit", rule.limit);
  json.end_object();
}

}  // namespace

std::string placement_json(const Placement& placement) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("name", placement.name).field("epsilon", placement.epsilon);
  json.field("control_share", placement.control_share);
  json.field("seen_window_s", placement.seen_window_s);
  json.field("outcome_window_s", placement.outcome_window_s);
  json.field("negative_after_s", placement.negative_after_s);
  json.field("is_impression_served", placement.is_impression_served);
  json.field("candidates", placement.candidates).field("model", placement.model);
  json.field("retriever", placement.retriever);
  json.field("diversity", placement.diversity).field("freshness", placement.freshness);
  json.field("freshness_half_life_s", placement.freshness_half_life_s).key("rules").begin_array();
  for (const Rule& rule : placement.rules) write_rule(rule, json);
  json.end_array().end_object();
  return out;
}

}  // namespace attune
