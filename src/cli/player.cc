#include "cli/player.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"

namespace attune {
namespace {

constexpr std::size_t kSlate = 5;
constexpr std::size_t kWave = 20;  // visits under way at once, of different people
constexpr std::size_t kEventsPerBatch = 100;
constexpr double kSeenDays = 1;                           // as long as the placements' seen window
const Time kBegin = time_from_us(1'767'225'600'000'000);  // 2026-01-01

std::string stamp(double day) { return format_iso8601(kBegin + seconds(day * 86400)); }

}  // namespace

struct Player::Visit {
  std::size_t person = 0;
  std::string_view decision;
  std::string clicked;  // time of a click
  std::vector<std::size_t> items;
};

Player::Player(const PlayOptions& options, std::vector<Client> clients, Screen& screen,
               const Words& words)
    : options_(options),
      clients_(std::move(clients)),
      screen_(screen),
      words_(words),
      world_(options.seed),
      oracle_(world_),
      rng_(mix64(options.seed, 1)),
      tally_(kWorldPersons, options.impressions),
      past_(kWorldPersons) {
  for (std::size_t i = 0; i < kWorldItems; ++i) index_[world_.items()[i].id] = i;
}

double Player::elapsed() const {
  return std::chrono::duration<double>(Chrono::now() - begin_).count();
}

void Player::add_event(std::string_view json) {
  if (!batch_.empty()) batch_ += ',';
  batch_ += json;
  ++events_;
}

Status Player::flush() {
  if (batch_.empty()) return ok_status();
  const std::string body = "{\"batch\":[" + batch_ + "]}";
  batch_.clear();
  TRY(const std::string answer, clients_[0].call("POST", "/v1/batch", body));
  if (answer.find("rejected") == std::string::npos) return ok_status();
  return Error{Code::kInternal, "the server refused a simulated event: " + answer, "", ""};
}

Status Player::load_items() {
  std::string items = "[";
  for (const SimItem& item : world_.items()) {
    if (items.size() > 1) items += ',';
    JsonWriter json(items);
    json.begin_object().field("id", item.id).field("category", item.category);
    json.key("tags").begin_array();
    for (const std::string& tag : item.tags) json.value(tag);
    json.end_array().field("price", item.price).field("created", stamp(0)).end_object();
  }
  TRY_OK(clients_[0].call("POST", "/api/v1/items", items + "]"));
  return ok_status();
}

Status Player::load_persons() {
  for (const SimPerson& person : world_.persons()) {
    std::string body;
    JsonWriter json(body);
    json.begin_object().field("type", "identify").field("userId", person.id);
    json.field("timestamp", stamp(0)).key("traits").begin_object();
    for (const auto& [name, value] : person.traits) json.field(name, value);
    json.end_object().end_object();
    add_event(body);
    if (events_ % kEventsPerBatch == 0) TRY_OK(flush());
  }
  return flush();
}

Status Player::load() {
  TRY_OK(load_items());
  const std::pair<Share, std::string_view> placements[] = {
      {Share::kLearned, R"({"candidates":1000,"control_share":0,"epsilon":0.02})"},
      {Share::kPopularity, R"({"candidates":1000,"control_share":1})"},
      {Share::kRandom, R"({"candidates":1000,"control_share":0,"epsilon":1})"}};
  for (const auto& [share, body] : placements) {
    TRY_OK(clients_[0].call("PUT", fmt::format("/api/v1/placements/{}", share_name(share)), body));
  }
  return load_persons();
}

// Draws and reports the clicks of one visit.
Shown Player::look(const Visit& visit) {
  Past& past = past_[visit.person];
  const double now = day();
  std::erase_if(past.recent, [&](const auto& seen) { return seen.second < now - kSeenDays; });
  std::vector<std::size_t> excluded;
  for (const auto& [item, when] : past.recent) excluded.push_back(item);
  Shown seen;
  seen.oracle =
      oracle_.rate(visit.person, now, excluded, kSlate) * static_cast<double>(visit.items.size());
  for (const std::size_t item : visit.items) {
    past.recent.emplace_back(item, now);
    ++seen.shown;
    Rng draw(mix64(mix64(options_.seed, visit.person), ++past.impressions));
    if (!draw.chance(world_.p_click(visit.person, item, now))) continue;
    ++seen.clicks;
    click(visit, item);
  }
  return seen;
}

void Player::click(const Visit& visit, std::size_t item) {
  add_event(fmt::format(
      R"({{"type":"track","event":"click","userId":"{}","messageId":"m{}","timestamp":"{}",)"
      R"("properties":{{"item_id":"{}","decision_id":"{}"}}}})",
      world_.persons()[visit.person].id, ++messages_, visit.clicked, world_.items()[item].id,
      visit.decision));
}

Status Player::watch(std::size_t person, const std::string& answer) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array slate;
  std::string_view decided;
  Visit visit{.person = person, .decision = {}, .clicked = {}, .items = {}};
  const simdjson::padded_string padded(answer);
  if (parser.parse(padded).get(root) || root["items"].get(slate) ||
      root["decision_id"].get(visit.decision) || root["time"].get(decided)) {
    return Error{Code::kInternal, "not a decision: " + answer, "", ""};
  }
  // The workspace's clock is the latest tick: a click follows its decision by a few seconds of it.
  visit.clicked = format_iso8601(parse_iso8601(decided).value_or(kBegin) + seconds(5));
  for (const simdjson::dom::element shown : slate) {
    std::string_view id;
    if (!shown["item_id"].get(id)) visit.items.push_back(index_.at(std::string(id)));
  }
  const Shown seen = look(visit);
  if (!world_.persons()[person].is_bot) {
    tally_.add(person, played_, seen);
    if (share_of(person) == Share::kLearned) {
      chosen_decision_ = visit.decision;
      chosen_person_ = person;
    }
  }
  played_ += seen.shown;
  if (seen.shown != 0) return ok_status();
  return Error{Code::kInternal, "a decision without items: " + answer, "", ""};
}

Status Player::ask(const std::vector<std::size_t>& persons) {
  for (std::size_t i = 0; i < persons.size(); ++i) {
    const std::string body =
        fmt::format(R"({{"person":"{}","placement":"{}","n":{}}})", world_.persons()[persons[i]].id,
                    share_name(share_of(persons[i])), kSlate);
    TRY_OK(clients_[i % clients_.size()].send("POST", "/api/v1/decide", body));
  }
  for (std::size_t i = 0; i < persons.size(); ++i) {
    TRY(const std::string answer, clients_[i % clients_.size()].receive());
    if (first_decision_s_ == 0) {
      first_decision_s_ = elapsed();
      screen_.say(fmt::format(fmt::runtime(words_.first), first_decision_s_));
    }
    TRY_OK(watch(persons[i], answer));
  }
  return ok_status();
}

Status Player::wave() {
  std::vector<std::size_t> persons;
  while (persons.size() < kWave) {
    const std::size_t person = rng_.below(kWorldPersons);
    if (std::find(persons.begin(), persons.end(), person) == persons.end()) {
      persons.push_back(person);
    }
  }
  TRY_OK(ask(persons));
  // Somebody outside the audience looks at a page, so that the clock goes on without clicks.
  add_event(
      fmt::format(R"({{"type":"page","anonymousId":"passer-by","timestamp":"{}"}})", stamp(day())));
  return flush();
}

Status Player::run() {
  screen_.say(fmt::format(fmt::runtime(words_.playing), options_.impressions, options_.seed,
                          options_.address));
  screen_.say(std::string(words_.bots));
  TRY_OK(load());
  while (played_ < options_.impressions) {
    TRY_OK(wave());
    TRY_OK(progress());
  }
  return ok_status();
}

}  // namespace attune
