// What the player says: while it plays, and at the end.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/json.h"
#include "cli/decision_table.h"
#include "cli/player.h"
#include "cli/plot.h"

namespace attune {
namespace {

constexpr std::size_t kName = 12;
constexpr std::size_t kProgress = 30;  // of the result's bars
constexpr std::size_t kLiveProgress = 14;

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

}  // namespace

std::string Player::curve(Share share, bool is_oracle) const {
  double most = 0;
  std::vector<double> rates;
  for (std::size_t part = 0; part < Tally::kParts; ++part) {
    const Shown& shown = tally_.part(share, part);
    most = std::max(most, tally_.part(Share::kLearned, part).oracle_rate());
    const double rate = is_oracle ? shown.oracle_rate() : shown.rate();
    rates.push_back(shown.shown != 0 ? rate : std::numeric_limits<double>::quiet_NaN());
  }
  return sparkline(rates, most);
}

std::string Player::share_line(std::string_view name, const char* people, Share share,
                               bool is_oracle, int colour) const {
  const Shown& all = tally_.all(share);
  return fmt::format("  {}{}{}{}   {}", left(name, kName), right(people, 6),
                     right(is_oracle ? "" : thousands(all.shown), 10),
                     right(percent(is_oracle ? all.oracle_rate() : all.rate()), 12),
                     screen_.colour(colour, curve(share, is_oracle)));
}

std::vector<std::string> Player::live_lines(double auc) const {
  const double done = double(played_) / double(options_.impressions);
  const auto rate = static_cast<std::uint64_t>(double(feed_.events()) / feed_.elapsed_s());
  std::string head = fmt::format("  {} {:3.0f} %  {} {}  {}  {}", bar(done, 1, kLiveProgress),
                                 100 * std::min(1.0, done), thousands(played_), words_.shown,
                                 fmt::format(fmt::runtime(words_.day), day()),
                                 fmt::format(fmt::runtime(words_.events), thousands(rate)));
  if (auc >= 0) head += "  " + screen_.strong(fmt::format(fmt::runtime(words_.auc), auc));
  return {"",
          head,
          "",
          fmt::format("  {}{}{}{}   {}", left(words_.share, kName), right(words_.people, 6),
                      right(words_.shown, 10), right(words_.click_rate, 12), words_.over_time),
          share_line(words_.oracle, "", Share::kLearned, true, 6),
          share_line(words_.learned, "80 %", Share::kLearned, false, 2),
          share_line(words_.popularity, "10 %", Share::kPopularity, false, 3),
          share_line(words_.random, "10 %", Share::kRandom, false, 1),
          ""};
}

Status Player::progress() {
  const std::uint64_t tenths = played_ * 10 / options_.impressions;
  const bool is_over = played_ >= options_.impressions;
  const bool is_line_due = !screen_.is_live() && tenths > tenths_;
  if (!is_line_due && !screen_.is_due() && !is_over) return ok_status();
  TRY(const double auc, feed_.auc());
  tenths_ = tenths;
  if (screen_.is_live()) {
    screen_.draw(live_lines(auc));
    return ok_status();
  }
  screen_.say(fmt::format(
      "{:>9} {}  {:>6}  {} {:5.2f} %  {} {:5.2f} %  {} {:5.2f} %  {} {:5.2f} %  {}",
      thousands(played_), words_.shown,
      fmt::format(fmt::runtime(words_.per_second),
                  thousands(static_cast<std::uint64_t>(double(played_) / feed_.elapsed_s()))),
      words_.learned, 100 * tally_.all(Share::kLearned).rate(), words_.popularity,
      100 * tally_.all(Share::kPopularity).rate(), words_.random,
      100 * tally_.all(Share::kRandom).rate(), words_.oracle,
      100 * tally_.all(Share::kLearned).oracle_rate(), fmt::format(fmt::runtime(words_.auc), auc)));
  return ok_status();
}

void Player::say_result() {
  screen_.keep();
  screen_.say("");
  screen_.say(std::string(words_.last_quarter));
  const auto line = [&](std::string_view name, std::uint64_t shown, double rate) {
    screen_.say(fmt::format("  {}{}{}   {}", left(name, kName), right(thousands(shown), 10),
                            right(percent(rate), 10),
                            bar(rate, tally_.late(Share::kLearned).oracle_rate(), kProgress)));
  };
  const Shown& learned = tally_.late(Share::kLearned);
  line(words_.oracle, learned.shown, learned.oracle_rate());
  line(words_.learned, learned.shown, learned.rate());
  line(words_.popularity, tally_.late(Share::kPopularity).shown,
       tally_.late(Share::kPopularity).rate());
  line(words_.random, tally_.late(Share::kRandom).shown, tally_.late(Share::kRandom).rate());
  const Estimate gap = tally_.gap_closed(options_.seed);
  screen_.say("");
  screen_.say(screen_.strong(
      fmt::format(fmt::runtime(words_.gap), 100 * gap.value, 100 * gap.low, 100 * gap.high)));
  screen_.say("");
}

Result<std::vector<std::string>> Player::decision_lines() {
  TRY(const std::string why,
      feed_.client().call("GET", "/api/v1/decisions/" + chosen_decision_, ""));
  const SimPerson& person = world_.persons()[chosen_person_];
  std::string subject = person.id;
  for (const auto& [name, value] : person.traits) subject += fmt::format("  {}={}", name, value);
  std::unordered_map<std::string, std::string> categories;
  for (const SimItem& item : world_.items()) categories[item.id] = item.category;
  return decision_table(why, subject, categories, words_);
}

Result<std::string> Player::report_json() {
  TRY(const std::string learning, feed_.client().call("GET", "/api/v1/learning", ""));
  TRY(const std::string why,
      feed_.client().call("GET", "/api/v1/decisions/" + chosen_decision_, ""));
  const Estimate gap = tally_.gap_closed(options_.seed);
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("seed", options_.seed).field("impressions", played_);
  json.field("events", feed_.events()).field("seconds", feed_.elapsed_s());
  json.field("first_decision_seconds", first_decision_s_);
  for (const Share share : {Share::kLearned, Share::kPopularity, Share::kRandom}) {
    const std::string name(share_name(share));
    json.field(name + "_click_rate", tally_.late(share).rate());
    json.field(name + "_impressions", tally_.late(share).shown);
  }
  json.field("oracle_click_rate", tally_.late(Share::kLearned).oracle_rate());
  json.field("gap_closed", gap.value).field("gap_closed_low", gap.low);
  json.field("gap_closed_high", gap.high).field("auc", auc_of(learning));
  json.key("learning").raw(learning).key("decision").raw(why).end_object();
  return out;
}

}  // namespace attune
