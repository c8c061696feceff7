#include "cli/decision_table.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>

#include "cli/plot.h"

namespace attune {
namespace {

using simdjson::dom::element;
constexpr int kMostItems = 10;
constexpr std::size_t kMostParts = 8;
constexpr std::size_t kBar = 14;

std::string_view text(element object, const char* name) {
  std::string_view found;
  return object[name].get(found) ? std::string_view() : found;
}

double number(element object, const char* name) {
  double found = 0;
  return object[name].get(found) ? 0 : found;
}

// Its place by the model, after boosts, after caps and pins, after diversity where the dials are
// on, and in the end; from 1.
std::string ranks_of(element item) {
  std::string out;
  for (const char* step :
       {"rank_by_model", "rank_by_boosts", "rank_by_rules", "rank_by_diversity", "rank_shown"}) {
    std::int64_t rank = 0;
    if (item[step].get(rank)) continue;
    out += fmt::format("{}{}", out.empty() ? "" : " > ", rank + 1);
  }
  return out;
}

struct Table {
  const Words& words;
  const std::unordered_map<std::string, std::string>& categories;
  std::vector<std::string> lines = {};

  void add_items(simdjson::dom::array items);
  void add_why(element first);
  void add_rules(simdjson::dom::array items);
  void add_changes(simdjson::dom::array items);
};

void Table::add_items(simdjson::dom::array items) {
  double most = 0;
  for (const element item : items) most = std::max(most, number(item, "p"));
  std::int64_t rank = 0;
  const bool has_dials = !items.at(0)["rank_by_diversity"].get(rank);
  lines.push_back(fmt::format("  {}  {}{}{}{}  {}{}", left("#", 3), left(words.item, 10),
                              left(words.category, 13), left(words.chance, kBar + 10),
                              right(words.propensity, 11), left(words.source, 11),
                              has_dials ? words.ranks_by_dials : words.ranks));
  int place = 0;
  for (const element item : items) {
    if (place == kMostItems) break;
    const std::string id(text(item, "item_id"));
    const auto category = categories.find(id);
    lines.push_back(fmt::format("  {}  {}{}{} {}{}  {}{}", left(std::to_string(++place), 3),
                                left(id, 10),
                                left(category == categories.end() ? "" : category->second, 13),
                                right(fmt::format("{:.1f} %", 100 * number(item, "p")), 7),
                                bar(number(item, "p"), most, kBar) + "  ",
                                right(fmt::format("{:.4f}", number(item, "propensity")), 11),
                                left(text(item, "source"), 11), ranks_of(item)));
  }
}

// What the rules and the dials did to each, where they did anything.
void Table::add_rules(simdjson::dom::array items) {
  bool is_first = true;
  int place = 0;
  for (const element item : items) {
    if (++place > kMostItems) break;
    simdjson::dom::array rules;
    if (item["rules"].get(rules) || rules.size() == 0) continue;
    if (is_first) lines.insert(lines.end(), {"", std::string(words.rules_did)});
    is_first = false;
    std::string all;
    for (const element rule : rules) {
      std::string_view said;
      if (!rule.get(said)) all.append(all.empty() ? "" : "; ").append(said);
    }
    lines.push_back(fmt::format("  {}  {}{}", left(std::to_string(place), 3),
                                left(text(item, "item_id"), 10), all));
  }
}

void Table::add_why(element first) {
  struct Part {
    std::string name;
    double part;
  };
  std::vector<Part> parts;
  simdjson::dom::array all;
  if (first["parts"].get(all)) return;
  double sum = 0;
  for (const element part : all) {
    parts.push_back({std::string(text(part, "name")), number(part, "part")});
    sum += parts.back().part;
  }
  std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
    return std::abs(a.part) > std::abs(b.part);
  });
  lines.push_back({});
  lines.push_back(
      fmt::format(fmt::runtime(words.why), text(first, "item_id"), sum, 100 * number(first, "p")));
  const double most = parts.empty() ? 0 : std::abs(parts.front().part);
  double rest = 0;
  for (std::size_t i = kMostParts; i < parts.size(); ++i) rest += parts[i].part;
  const std::size_t smaller = parts.size() > kMostParts ? parts.size() - kMostParts : 0;
  parts.resize(parts.size() - smaller);
  if (smaller != 0) parts.push_back({fmt::format(fmt::runtime(words.smaller), smaller), rest});
  for (const Part& part : parts) {
    lines.push_back(fmt::format("  {} {:+8.3f}  {}", left(part.name, 36), part.part,
                                bar(std::abs(part.part), most, 24)));
  }
}

// The first item in a sentence, the others in short.
void Table::add_changes(simdjson::dom::array items) {
  lines.push_back({});
  lines.push_back(fmt::format("{} {}", words.change, text(items.at(0), "what_would_change_it")));
  int place = 0;
  for (const element item : items) {
    element change;
    if (++place == 1 || item["would_change"].get(change) || change.is_null()) continue;
    lines.push_back(fmt::format("  {}  {}{} {:.4g} > {:.4g}: {}", left(std::to_string(place), 3),
                                left(text(item, "item_id"), 10), text(change, "part"),
                                number(change, "from"), number(change, "to"),
                                text(change, "then")));
  }
}

}  // namespace

Result<std::vector<std::string>> decision_table(
    std::string_view decision_json, std::string_view subject,
    const std::unordered_map<std::string, std::string>& categories, const Words& words) {
  simdjson::dom::parser parser;
  element root;
  simdjson::dom::array items;
  const simdjson::padded_string padded(decision_json);
  if (parser.parse(padded).get(root) || root["items"].get(items) || items.size() == 0) {
    return Error{Code::kInternal, "not an explained decision: " + std::string(decision_json)};
  }
  Table table{words, categories};
  table.lines.push_back(fmt::format("{} {}", words.one_decision, text(root, "decision_id")));
  if (!subject.empty()) table.lines.push_back(fmt::format("  {} {}", words.person, subject));
  table.lines.push_back(fmt::format("  {}", text(root, "reason")));
  table.lines.push_back({});
  table.add_items(items);
  table.add_rules(items);
  table.add_why(items.at(0));
  table.add_changes(items);
  return table.lines;
}

}  // namespace attune
