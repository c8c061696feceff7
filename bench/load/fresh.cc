// Fresh: a stranger's click, then that person's next decision. The time counts when the decision no
// longer takes the person for a stranger and the profile holds the click.
#include <fmt/format.h>
#include <simdjson.h>

#include "load/feed.h"
#include "load/fill.h"
#include "load/measure.h"
#include "load/slate.h"

namespace attune::load {
namespace {

constexpr double kGiveUpSeconds = 5;

bool has(std::string_view answer, std::string_view text) {
  return answer.find(text) != std::string_view::npos;
}

Result<std::string> decide(Wire& wire, const Target& target, const std::string& person) {
  return wire.call("POST", "/api/v1/decide", target.key,
                   fmt::format(R"({{"person":"{}","placement":"bench","n":3}})", person));
}

Status click(Wire& wire, const Target& target, const std::string& person) {
  TRY_OK(wire.call("POST", "/v1/batch", target.key,
                   fmt::format(R"({{"batch":[{{"type":"track","event":"Item Clicked","userId":)"
                               R"("{}","messageId":"{}","properties":{{"item_id":"{}"}}}}]}})",
                               person, person, item_id(1))));
  return ok_status();
}

Result<bool> is_click_known(Wire& wire, const Target& target, const std::string& person) {
  TRY(const std::string text, wire.call("GET", "/api/v1/persons/" + person, target.key, ""));
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  double clicks = 0;
  const simdjson::padded_string padded(text);
  return !parser.parse(padded).get(root) && !root["counts"]["click"].get(clicks) && clicks > 0.5;
}

// Nanoseconds from sending the click to having the decision that knows of it.
Result<Nanos> round(Wire& wire, const Target& target, const std::string& person) {
  TRY(const std::string before, decide(wire, target, person));
  if (!has(before, "\"fallback\"")) {
    return Error{Code::kInternal, "a stranger's decision is not labelled fallback: " + before};
  }
  const Nanos begin = now_ns();
  TRY_OK(click(wire, target, person));
  while (true) {
    TRY(const std::string after, decide(wire, target, person));
    const Nanos took = now_ns() - begin;
    TRY(const bool is_known, is_click_known(wire, target, person));
    if (has(after, "\"learned\"") && is_known) return took;
    if (took > static_cast<Nanos>(kGiveUpSeconds * 1e9)) {
      return Error{Code::kInternal, "the decision does not know of the click: " + after};
    }
  }
}

}  // namespace

Result<std::string> measure_fresh(const Target& target, const FreshOptions& options) {
  TRY_OK(put_items(target, 100));
  TRY_OK(put_placement(target, "bench", 50));
  TRY(Wire wire, Wire::connect(target.host, target.port, 1));
  const std::uint64_t run = fresh_run();
  Histogram delay;
  for (int i = 0; i < options.rounds; ++i) {
    TRY(const Nanos took, round(wire, target, fmt::format("fresh-{:x}-{}", run, i)));
    delay.add(static_cast<std::uint64_t>(took / 1000));
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("measure", "fresh").field("rounds", options.rounds);
  write_latency(json, delay);
  json.field("is_under_one_second", delay.largest() < 1'000'000).end_object();
  return out;
}

}  // namespace attune::load
