// Decide: slates at a fixed rate over a full catalog and known persons, with a model that has
// learned something and goes on learning from the events that come in beside: two per decision.
#include <cmath>

#include "load/fill.h"
#include "load/measure.h"
#include "load/slate.h"

namespace attune::load {
namespace {

constexpr double kEventsPerPerson = 3;

// Slates and clicks on them, so that the model has weights.
Status teach(const Target& target, SlatePlan plan) {
  plan.per_second = 0;
  plan.batch_after = 0;
  plan.decisions = std::min<std::uint64_t>(plan.decisions, 500);
  plan.seed = 7;
  TRY(const Slates slates, ask_slates(target, plan));
  if (slates.wrong != 0) {
    return Error{Code::kInternal, "a wrong slate: " + slates.first_fault};
  }
  TRY_OK(ask(target, "POST", "/v1/batch", slates.clicks));
  TRY_OK(wait_for_metric(target, "attune_model_updates_total", 1, 2));
  return ok_status();
}

}  // namespace

Result<std::string> measure_decide(const Target& target, const DecideOptions& options) {
  if (!options.is_loaded) {
    TRY_OK(put_items(target, options.items));
    const auto events = static_cast<std::uint64_t>(
        std::ceil(kEventsPerPerson * static_cast<double>(options.persons)));
    TRY_OK(fill(target, {.persons = options.persons, .items = options.items, .run = fresh_run()},
                events));
  }
  TRY_OK(put_placement(target, "bench", options.candidates));
  const SlatePlan plan{
      .per_second = options.rate,
      .decisions = static_cast<std::uint64_t>(std::ceil(options.rate * options.seconds)),
      .persons = options.persons,
      .items = options.items,
      .seed = fresh_run(),
      .n = options.n,
      .batch_after = 10};
  TRY_OK(teach(target, plan));
  const Watch watch(target);
  TRY(const Slates slates, ask_slates(target, plan));
  const double answered = static_cast<double>(slates.right + slates.wrong);
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("measure", "decide").field("offered_per_second", options.rate);
  json.field("achieved_per_second", static_cast<double>(slates.right) / slates.seconds);
  json.field("seconds", slates.seconds).field("items", options.items);
  json.field("candidates", options.candidates).field("n", options.n);
  write_slates(json, slates);
  watch.report(json, "decision", std::max(1.0, answered), slates.seconds);
  json.end_object();
  if (slates.wrong == 0) return out;
  return Error{Code::kInternal, "wrong slates: " + out};
}

}  // namespace attune::load
