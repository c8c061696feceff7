// What the decide and the scale measurement share: asking for decisions at a fixed rate and judging
// every answer.
#pragma once
#include <cstdint>
#include <string>

#include "load/common.h"

namespace attune::load {

struct SlatePlan {
  double per_second = 100;
  std::uint64_t decisions = 1'000;
  std::uint64_t persons = 1, items = 1;  // as Feed names them
  std::uint64_t seed = 1;                // of the draw of persons
  std::string placement = "bench";
  int n = 10;
  // After so many decisions one batch of events goes out: impressions, views, clicks, and clicks on
  // what the decisions before it showed. 0 = none.
  std::uint64_t batch_after = 0;
};

struct Slates {
  Histogram latency;  // of right answers only, from when each was due
  std::uint64_t right = 0, refused = 0, wrong = 0, lost = 0;
  std::uint64_t learned = 0;  // answered by the model
  std::string first_fault;
  std::string clicks;  // {"batch":[...]}: a click on the first item of each, with its decision
  double seconds = 0;
  std::uint64_t events = 0, events_refused = 0;  // sent beside the decisions
};

Status put_placement(const Target& target, std::string_view name, int candidates);
// Answers are judged after the last one has come, so that judging delays none.
Result<Slates> ask_slates(const Target& target, const SlatePlan& plan);
// Why an answer is not a proper slate; empty when it is.
std::string fault_of(std::string_view answer, const SlatePlan& plan);
void write_slates(JsonWriter& json, const Slates& slates);

}  // namespace attune::load
