#include "cli/model_comparison.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstdio>

#include "cli/words.h"

namespace attune {
namespace {

namespace dom = simdjson::dom;

double number_of(const dom::element& of, const char* name) {
  double number = 0;
  if (of[name].get(number)) return 0;
  return number;
}

std::string text_of(const dom::element& of, const char* name) {
  std::string_view text;
  if (of[name].get(text)) return "";
  return std::string(text);
}

bool flag_of(const dom::element& of, const char* name) {
  bool flag = false;
  return !of[name].get(flag) && flag;
}

bool find(const dom::element& of, const char* name, dom::element& found) {
  return !of[name].get(found) && !found.is_null();
}

// "[-0.00120, +0.00400]", or nothing.
std::string range_of(const dom::element& of, const char* name, const char* format) {
  dom::array range;
  double low = 0, high = 0;
  if (of[name].get(range) || range.at(0).get(low) || range.at(1).get(high)) return "";
  return fmt::format("[{}, {}]", fmt::format(fmt::runtime(format), low),
                     fmt::format(fmt::runtime(format), high));
}

void print_pair(const dom::element& model, const char* name, const char* words) {
  dom::element pair;
  if (!find(model, name, pair)) return;
  std::printf("    beside %s, %.5f on %.0f outcomes: difference %+.5f %s\n", words,
              number_of(pair, "other_log_loss"), number_of(pair, "rows"),
              number_of(pair, "difference"), range_of(pair, "interval", "{:+.5f}").c_str());
}

void print_rate(const dom::element& canary, const char* name, const char* words) {
  dom::element rate;
  if (!find(canary, name, rate)) return;
  std::printf("  %s %7.0f persons %8.0f shown %7.0f engaged with  %.4f %s\n",
              left(words, 8).c_str(), number_of(rate, "persons"), number_of(rate, "shown"),
              number_of(rate, "clicked"), number_of(rate, "rate"),
              range_of(rate, "interval", "{:.4f}").c_str());
}

void print_canary(const dom::element& canary) {
  std::printf("persons it ranks for, and the others\n");
  print_rate(canary, "tried", "canary");
  print_rate(canary, "others", "others");
  std::printf("  difference %s: %s\n", range_of(canary, "difference_interval", "{:+.4f}").c_str(),
              text_of(canary, "verdict").c_str());
  const std::string always = range_of(canary, "always_valid_interval", "{:+.4f}");
  std::printf("  however often it is looked at %s; the canary ends when all of it is below 0\n",
              always.empty() ? "nothing is sure yet" : always.c_str());
}

void print_outcomes(const dom::element& model) {
  dom::element progressive;
  if (!find(model, "progressive", progressive)) return;
  double log_loss = 0;
  const bool is_measured = !progressive["log_loss"].get(log_loss);
  std::printf("  version %.0f%s: %s\n", number_of(model, "version"),
              flag_of(model, "is_learning") ? ", which learns" : "",
              is_measured ? fmt::format("{:.5f}", log_loss).c_str() : "no outcome has come yet");
  print_pair(model, "beside_promoted", "the promoted version");
  print_pair(model, "beside_registered", "itself as registered");
  print_pair(model, "beside_live_learner", "the live learner");
}

}  // namespace

Status print_comparison(const std::string& comparison) {
  dom::parser parser;
  dom::element root, canary;
  dom::array outcomes;
  if (parser.parse(comparison).get(root) || root["outcomes"].get(outcomes)) {
    return Error{Code::kUnavailable, "the comparison makes no sense: " + comparison.substr(0, 200)};
  }
  std::printf("%s@%.0f challenges since %s\n", text_of(root, "name").c_str(),
              number_of(root, "challenger"), text_of(root, "since").c_str());
  if (find(root, "canary", canary)) print_canary(canary);
  std::printf("log loss on outcomes, each before it was learned from\n");
  for (const dom::element model : outcomes) print_outcomes(model);
  const std::string verb = text_of(root, "predicts");
  if (!verb.empty()) {
    std::printf(
        "  it predicts %s, which is known when a window has ended: attune train --against\n",
        verb.c_str());
  } else if (outcomes.size() == 0) {
    std::printf("  none has come yet\n");
  }
  return ok_status();
}

}  // namespace attune
