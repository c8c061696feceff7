// The words of the demo's screen, in English or Chinese, and how wide they stand in a terminal.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace attune {

struct Words {
  std::string_view playing;  // impressions, seed, address
  std::string_view about;
  std::string_view first;  // seconds
  std::string_view shown, per_second, events, day, auc;
  std::string_view share, people, click_rate, over_time;
  std::string_view oracle, learned, popularity, random;
  std::string_view last_quarter;
  std::string_view gap;  // percent, low, high
  std::string_view one_decision, person, item, category, chance, propensity, source;
  std::string_view ranks;           // by the model, after boosts, after caps and pins, in the end
  std::string_view ranks_by_dials;  // the same, diversity before the end
  std::string_view rules_did;
  std::string_view why;      // item, log-odds, percent
  std::string_view smaller;  // number of parts
  std::string_view change;
  std::string_view kept;  // folder, decision
  // Of the data player.
  std::string_view playing_data;  // set, steps, people, items, address
  std::string_view about_data;
  std::string_view steps, chosen_by, asked, hit_rate, interval;
  std::string_view times;  // learned / popularity
  std::string_view chance_of_five;
  std::string_view by_chance;  // percent
  std::string_view no_oracle;
  std::string_view took_next;  // person, number of items before, item
};

const Words& english();
const Words& chinese();
// By LC_ALL, LC_MESSAGES, LANG: the first that is set decides.
const Words& words_of_environment();

std::string thousands(std::uint64_t number);  // 12,345

// Columns of UTF-8 text: Chinese characters and full-width signs take two.
std::size_t columns(std::string_view text);
// Padded with spaces to that many columns; longer text is left as it is.
std::string left(std::string_view text, std::size_t width);
std::string right(std::string_view text, std::size_t width);

}  // namespace attune
