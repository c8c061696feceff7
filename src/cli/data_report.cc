// What the data player says: while it plays, and at the end.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/json.h"
#include "cli/data_player.h"
#include "cli/decision_table.h"
#include "cli/plot.h"

namespace attune {
namespace {

constexpr std::size_t kName = 12;
constexpr std::size_t kProgress = 20;
constexpr Share kAllShares[] = {Share::kLearned, Share::kPopularity, Share::kRandom};

std::string_view name_of(Share share, const Words& words) {
  if (share == Share::kLearned) return words.learned;
  return share == Share::kPopularity ? words.popularity : words.random;
}

int colour_of(Share share) {
  if (share == Share::kLearned) return 2;
  return share == Share::kPopularity ? 3 : 1;
}

// What ten items at random hit.
double random_rate(const Sequences& sequences) {
  return double(kHitSlate) / double(std::max(kHitSlate, sequences.items.size()));
}

}  // namespace

// All curves on one scale, that of the highest part.
std::string DataPlayer::curve(Share share) const {
  double most = 0;
  std::vector<double> rates;
  for (std::size_t part = 0; part < HitTally::kParts; ++part) {
    for (const Share each : kAllShares) {
      most = std::max(most, tally_.part(each, part).hit_rate());
    }
    const Hits& hits = tally_.part(share, part);
    rates.push_back(hits.asked != 0 ? hits.hit_rate() : std::numeric_limits<double>::quiet_NaN());
  }
  return sparkline(rates, most);
}

std::string DataPlayer::table_head(std::string_view last) const {
  return fmt::format("  {}{}{}{}   {}", left(words_.chosen_by, kName), right(words_.asked, 9),
                     right(words_.hit_rate, 13), right("NDCG@10", 10), last);
}

std::string DataPlayer::table_line(std::string_view name, Share share, const Hits& hits,
                                   const std::string& last) const {
  return fmt::format("  {}{}{}{}   {}", left(name, kName), right(thousands(hits.asked), 9),
                     right(fmt::format("{:.2f} %", 100 * hits.hit_rate()), 13),
                     right(fmt::format("{:.4f}", hits.ndcg()), 10),
                     screen_.colour(colour_of(share), last));
}

std::vector<std::string> DataPlayer::live_lines(double auc) const {
  const double done = double(played_) / double(sequences_.step_count);
  const auto rate = static_cast<std::uint64_t>(double(feed_.events()) / feed_.elapsed_s());
  std::string head = fmt::format("  {} {:3.0f} %  {} {}  {}", bar(done, 1, kProgress), 100 * done,
                                 thousands(played_), words_.steps,
                                 fmt::format(fmt::runtime(words_.events), thousands(rate)));
  if (auc >= 0) head += "  " + screen_.strong(fmt::format(fmt::runtime(words_.auc), auc));
  std::vector<std::string> lines = {"", head, "", table_head(words_.over_time)};
  for (const Share share : kAllShares) {
    lines.push_back(table_line(name_of(share, words_), share, tally_.all(share), curve(share)));
  }
  lines.emplace_back();
  return lines;
}

Status DataPlayer::progress() {
  if (first_decision_s_ == 0) return ok_status();  // nothing to show yet
  const std::uint64_t tenths = played_ * 10 / sequences_.step_count;
  const bool is_over = played_ >= sequences_.step_count;
  const bool is_line_due = !screen_.is_live() && tenths > tenths_;
  if (!is_line_due && !screen_.is_due() && !(is_over && screen_.is_live())) return ok_status();
  TRY(const double auc, feed_.auc());
  tenths_ = tenths;
  if (screen_.is_live()) {
    screen_.draw(live_lines(auc));
    return ok_status();
  }
  std::string line = fmt::format("{:>9} {}  {}", thousands(played_), words_.steps, words_.hit_rate);
  for (const Share share : kAllShares) {
    line +=
        fmt::format("  {} {:.2f} %", name_of(share, words_), 100 * tally_.all(share).hit_rate());
  }
  if (auc >= 0) line += "  " + fmt::format(fmt::runtime(words_.auc), auc);
  screen_.say(line);
  return ok_status();
}

void DataPlayer::say_result() {
  screen_.keep();
  screen_.say("");
  screen_.say(std::string(words_.last_quarter));
  screen_.say(table_head(words_.interval));
  for (const Share share : kAllShares) {
    const Hits& hits = tally_.late(share);
    const std::string sure = fmt::format("± {:.2f} %", 100 * hits.margin());
    const std::string by_chance =
        fmt::format(fmt::runtime(words_.by_chance), 100 * random_rate(sequences_));
    screen_.say(table_line(name_of(share, words_), share, hits,
                           share == Share::kRandom ? by_chance : sure));
  }
  const double popular = tally_.late(Share::kPopularity).hit_rate();
  screen_.say("");
  if (popular > 0) {
    screen_.say(screen_.strong(fmt::format(fmt::runtime(words_.times),
                                           tally_.late(Share::kLearned).hit_rate() / popular)));
  }
  screen_.tell(std::string(words_.no_oracle));
  screen_.say("");
}

Result<std::vector<std::string>> DataPlayer::decision_lines() {
  if (chosen_decision_.empty()) return std::vector<std::string>{};
  TRY(const std::string why,
      feed_.client().call("GET", "/api/v1/decisions/" + chosen_decision_, ""));
  std::unordered_map<std::string, std::string> tags;
  for (std::size_t i = 0; i < sequences_.items.size(); ++i) {
    if (!sequences_.tags[i].empty()) tags[sequences_.items[i]] = sequences_.tags[i].front();
  }
  Words words = words_;
  words.chance = words_.chance_of_five;  // as the lessons were: one real item in five
  return decision_table(why, chosen_subject_, tags, words);
}

Result<std::string> DataPlayer::report_json() {
  TRY(const std::string learning, feed_.client().call("GET", "/api/v1/learning", ""));
  std::string why = "null";
  if (!chosen_decision_.empty()) {
    TRY(why, feed_.client().call("GET", "/api/v1/decisions/" + chosen_decision_, ""));
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("data", sequences_.name).field("seed", options_.seed);
  json.field("persons", std::uint64_t{sequences_.persons.size()});
  json.field("items", std::uint64_t{sequences_.items.size()}).field("steps", played_);
  json.field("lessons", lessons_).field("events", feed_.events());
  json.field("seconds", feed_.elapsed_s()).field("first_decision_seconds", first_decision_s_);
  for (const Share share : kAllShares) {
    const Hits& hits = tally_.late(share);
    const std::string name(share_name(share));
    json.field(name + "_questions", hits.asked);
    json.field(name + "_hit_rate_at_10", hits.hit_rate());
    json.field(name + "_hit_rate_at_10_margin", hits.margin());
    json.field(name + "_ndcg_at_10", hits.ndcg());
  }
  json.field("random_expected_hit_rate_at_10", random_rate(sequences_));
  json.field("auc", auc_of(learning)).key("learning").raw(learning);
  json.key("decision").raw(why).end_object();
  return out;
}

}  // namespace attune
