// `attune start`: simulated people of world v1 against the real HTTP server, in one process.
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <unordered_map>

#include "api/app.h"
#include "api/http_server.h"
#include "base/json.h"
#include "base/rng.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "simulate/world.h"

namespace attune {
namespace {

constexpr int kSlate = 5;
constexpr int kDecisionsPerBatch = 50;
constexpr double kDays = 40;                              // of simulated time over the whole run
const Time kBegin = time_from_us(1'767'225'600'000'000);  // 2026-01-01

struct Share {
  std::string_view name;
  std::uint64_t shown = 0, clicks = 0;
  double oracle = 0;  // sum of the oracle's click probabilities on the same requests
  double rate() const { return shown ? double(clicks) / double(shown) : 0; }
  double oracle_rate() const { return shown ? oracle / double(shown) : 0; }
};

// People with index 0 of 10 see random items, 1 of 10 popular ones, the others learned ones.
std::size_t share_of(std::size_t person) { return person % 10 == 0 ? 2 : person % 10 == 1 ? 1 : 0; }

class Demo {
 public:
  Demo(const StartOptions& options, Client client)
      : options_(options), client_(std::move(client)), world_(options.seed), rng_(options.seed) {
    for (std::size_t i = 0; i < world_.items().size(); ++i) index_[world_.items()[i].id] = i;
  }
  Status run();

 private:
  Status load();
  Status visit(double day);
  Status flush_events();
  Status report(bool is_last);
  void print_table() const;
  void add_event(std::string_view body);
  static std::string stamp(double day) { return format_iso8601(kBegin + seconds(day * 86400)); }

  const StartOptions options_;
  Client client_;
  World world_;
  Rng rng_;
  std::unordered_map<std::string, std::size_t> index_;
  std::unordered_map<std::size_t, std::unordered_map<std::size_t, double>>
      shown_;  // person, item: day
  std::array<Share, 3> shares_{{{.name = "learned"}, {.name = "popularity"}, {.name = "random"}}};
  std::array<Share, 3> late_{{{.name = "learned"}, {.name = "popularity"}, {.name = "random"}}};
  std::uint64_t impressions_ = 0, events_ = 0, message_ = 0;
  std::string events_body_, last_decision_;
  simdjson::dom::parser parser_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

void Demo::add_event(std::string_view body) {
  if (!events_body_.empty()) events_body_ += ',';
  events_body_ += body;
  ++events_;
}

Status Demo::flush_events() {
  if (events_body_.empty()) return ok_status();
  const std::string body = "{\"batch\":[" + events_body_ + "]}";
  events_body_.clear();
  TRY(const std::string answer, client_.call("POST", "/v1/batch", body));
  if (answer.find("rejected") == std::string::npos) return ok_status();
  return Error{Code::kInternal, "the server refused a simulated event: " + answer, "", ""};
}

Status Demo::load() {
  std::string items = "[";
  for (const auto& item : world_.items()) {
    if (items.size() > 1) items += ',';
    JsonWriter json(items);
    json.begin_object().field("id", item.id).field("category", item.category);
    json.key("tags").begin_array();
    for (const auto& tag : item.tags) json.value(tag);
    json.end_array().field("price", item.price).field("created", stamp(0)).end_object();
  }
  TRY_OK(client_.call("POST", "/api/v1/items", items + "]"));
  TRY_OK(client_.call("PUT", "/api/v1/placements/learned",
                      R"({"candidates":1000,"control_share":0,"epsilon":0.05})"));
  TRY_OK(client_.call("PUT", "/api/v1/placements/popularity",
                      R"({"candidates":1000,"control_share":1})"));
  TRY_OK(client_.call("PUT", "/api/v1/placements/random",
                      R"({"candidates":1000,"control_share":0,"epsilon":1})"));
  for (const auto& person : world_.persons()) {
    std::string body;
    JsonWriter json(body);
    json.begin_object().field("type", "identify").field("userId", person.id);
    json.field("timestamp", stamp(0)).key("traits").begin_object();
    for (const auto& [name, value] : person.traits) json.field(name, value);
    json.end_object().end_object();
    add_event(body);
    if (events_ % 100 == 0) TRY_OK(flush_events());
  }
  return flush_events();
}

Status Demo::visit(double day) {
  const std::size_t person = rng_.below(world_.persons().size());
  const std::size_t share = share_of(person);
  TRY(const std::string answer,
      client_.call("POST", "/api/v1/decide",
                   fmt::format(R"({{"person":"{}","placement":"{}","n":{}}})",
                               world_.persons()[person].id, shares_[share].name, kSlate)));
  simdjson::dom::element root;
  simdjson::dom::array slate;
  std::string_view decision, decided;
  if (parser_.parse(answer).get(root) || root["items"].get(slate) ||
      root["decision_id"].get(decision) || root["time"].get(decided)) {
    return Error{Code::kInternal, "not a decision: " + answer, "", ""};
  }
  if (share == 0) last_decision_ = decision;
  // The workspace's clock is the latest tick: a click follows its decision by a few seconds of it.
  const std::string clicked = format_iso8601(parse_iso8601(decided).value_or(kBegin) + seconds(5));
  auto& seen = shown_[person];
  std::erase_if(seen, [&](const auto& entry) { return entry.second < day - 1; });
  std::vector<bool> excluded(world_.items().size(), false);
  for (const auto& [item, when] : seen) excluded[item] = true;
  const double oracle = world_.oracle_rate(person, day, excluded, kSlate);
  const bool is_late = impressions_ >= static_cast<std::uint64_t>(options_.impressions) * 3 / 4;
  for (const simdjson::dom::element shown : slate) {
    std::string_view id;
    if (shown["item_id"].get(id)) continue;
    const std::size_t item = index_.at(std::string(id));
    seen[item] = day;
    const bool is_click = rng_.chance(world_.p_click(person, item, day));
    for (Share* s : {&shares_[share], is_late ? &late_[share] : nullptr}) {
      if (!s) continue;
      ++s->shown;
      s->clicks += is_click;
      s->oracle += oracle;
    }
    ++impressions_;
    if (!is_click) continue;
    add_event(fmt::format(
        R"({{"type":"track","event":"click","userId":"{}","messageId":"m{}","timestamp":"{}",)"
        R"("properties":{{"item_id":"{}","decision_id":"{}"}}}})",
        world_.persons()[person].id, ++message_, clicked, id, decision));
  }
  return ok_status();
}

void Demo::print_table() const {
  std::fprintf(stderr, "  %-11s %10s %10s %10s\n", "share", "shown", "click rate", "oracle");
  for (const Share& s : late_) {
    std::fprintf(stderr, "  %-11s %10llu %9.2f%% %9.2f%%\n", std::string(s.name).c_str(),
                 static_cast<unsigned long long>(s.shown), 100 * s.rate(), 100 * s.oracle_rate());
  }
}

Status Demo::report(bool is_last) {
  TRY(const std::string learning, client_.call("GET", "/api/v1/learning", ""));
  const double elapsed =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  if (!is_last) {
    std::fprintf(stderr,
                 "%8llu shown  %6.0f/s  learned %5.2f%%  popularity %5.2f%%  random %5.2f%%\n",
                 static_cast<unsigned long long>(impressions_), double(impressions_) / elapsed,
                 100 * shares_[0].rate(), 100 * shares_[1].rate(), 100 * shares_[2].rate());
    return ok_status();
  }
  const double gap = late_[0].oracle_rate() - late_[1].rate();
  const double closed = (late_[0].rate() - late_[1].rate()) / gap;
  std::fprintf(stderr, "\nLast quarter of the run:\n");
  print_table();
  std::fprintf(stderr,
               "The learned share closes %.0f%% of the gap between popularity and the oracle.\n",
               100 * closed);
  TRY(const std::string why, client_.call("GET", "/api/v1/decisions/" + last_decision_, ""));
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("impressions", impressions_).field("events", events_);
  json.field("learned_click_rate", late_[0].rate()).field("popularity_click_rate", late_[1].rate());
  json.field("random_click_rate", late_[2].rate())
      .field("oracle_click_rate", late_[0].oracle_rate());
  json.field("gap_closed", closed).field("seconds", elapsed);
  json.key("learning").raw(learning).key("decision").raw(why).end_object();
  if (options_.is_json) {
    std::printf("%s\n", out.c_str());
  } else {
    std::fprintf(stderr, "\nOne decision, explained:\n");
    std::printf("%s\n", why.c_str());
  }
  return ok_status();
}

Status Demo::run() {
  TRY_OK(load());
  const auto wanted = static_cast<std::uint64_t>(options_.impressions);
  std::uint64_t visits = 0, reports = 0;
  while (impressions_ < wanted) {
    const double day = kDays * double(impressions_) / double(wanted);
    TRY_OK(visit(day));
    if (++visits % kDecisionsPerBatch == 0) {
      add_event(fmt::format(R"({{"type":"page","userId":"p0001","timestamp":"{}"}})", stamp(day)));
      TRY_OK(flush_events());
    }
    if (impressions_ * 10 / wanted > reports) {
      ++reports;
      TRY_OK(report(false));
    }
  }
  TRY_OK(flush_events());
  return report(true);
}

}  // namespace

Status start_demo(const StartOptions& options) {
  std::string folder = std::filesystem::temp_directory_path() / "attune-demo-XXXXXX";
  if (!::mkdtemp(folder.data())) {
    return Error{Code::kUnavailable, "cannot make " + folder, "",
                 "set TMPDIR to a writable folder"};
  }
  EngineOptions engine_options;
  engine_options.workspace = folder + "/workspace";
  engine_options.clock = Clock::kEvent;
  engine_options.event_tick_s = 600;
  TRY(const auto engine, Engine::open(engine_options));
  ApiKeys keys;
  const std::string key = "demo-" + std::to_string(::getpid());
  keys.add(key, static_cast<std::uint8_t>(Scope::kAdmin));
  App app(*engine, std::move(keys), {.is_event_clock = true});
  TRY(const auto server, HttpServer::start({}, [&app](HttpRequest&& request, Respond respond) {
        app.handle(std::move(request), std::move(respond));
      }));
  std::fprintf(stderr,
               "Playing %d impressions of simulated people (seed %llu) at http://127.0.0.1:%d\n",
               options.impressions, static_cast<unsigned long long>(options.seed), server->port());
  Status played = ok_status();
  {
    auto client = Client::connect("127.0.0.1", server->port(), key);
    played = client.ok() ? Demo(options, std::move(*client)).run() : Status(client.error());
  }
  server->drain(2);
  TRY_OK(engine->close());
  std::filesystem::remove_all(folder);
  return played;
}

}  // namespace attune
