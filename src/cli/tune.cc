// attune tune: what learning goes by, derived from the data. `tune plan` derives a plan.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/access.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "engine/observe.h"
#include "feature/derive_live.h"
#include "feature/derive_table.h"
#include "format/table.h"

namespace attune {
namespace {

struct TunePlanOptions {
  std::string file, workspace, output;
  DeriveOptions derive;
  bool is_json = false;
};

Result<DerivedPlan> plan_of_table(const TunePlanOptions& options) {
  TRY(const auto reader, TableReader::open(options.file, {}));
  if (reader->shape().columns.empty()) {
    return Error{Code::kInvalid, options.file + " has no columns", "file", ""};
  }
  TableSample sample(reader->shape().columns);
  std::uint64_t bad = 0;
  while (true) {
    TRY(const TableReader::Next next, reader->next());
    if (next == TableReader::Next::kEnd) break;
    if (next == TableReader::Next::kBad) {
      ++bad;
    } else {
      sample.add(reader->cells());
    }
  }
  if (bad > 0)
    std::fprintf(stderr, "attune: %llu bad rows left out\n", static_cast<unsigned long long>(bad));
  std::fprintf(stderr, "attune: from %zu rows spread over %s\n", sample.rows(),
               options.file.c_str());
  return derive_plan(sample, options.derive);
}

Result<DerivedPlan> plan_of_workspace(const TunePlanOptions& options) {
  TRY_OK(require_workspace(options.workspace));
  TRY(const auto engine, open_stopped(options.workspace));
  const auto catalog = engine->catalog();
  TRY_OK(engine->close());
  LiveSample sample;
  Observer observer;
  observer.event = [&](const SeenEvent& seen) {
    sample.add_event(seen.event.verb);
    sample.add_traits(seen.event.traits);
  };
  observer.decision = [&](const Decision& decision) { sample.add_context(decision.context); };
  TRY(const Observed observed, observe(options.workspace, observer));
  std::fprintf(stderr, "attune: from %zu items, %llu events, %llu decisions of %s\n",
               catalog->items().size(), static_cast<unsigned long long>(observed.events),
               static_cast<unsigned long long>(observed.decisions), options.workspace.c_str());
  return derive_live_plan(sample, *catalog, options.derive.allow);
}

std::string as_json(const DerivedPlan& derived) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("plan", derived.plan.toml()).key("inputs").begin_array();
  for (const PlanReason& reason : derived.reasons) {
    json.begin_object().field("of", reason.of).field("is_used", reason.is_used);
    json.field("reason", reason.reason).end_object();
  }
  json.end_array().end_object();
  return out + "\n";
}

Status tune_plan(const TunePlanOptions& options) {
  if (options.file.empty() == options.workspace.empty()) {
    return Error{Code::kInvalid, "tune plan needs a FILE or --workspace", "file",
                 "attune tune plan train.csv --target y"};
  }
  TRY(const DerivedPlan derived,
      options.file.empty() ? plan_of_workspace(options) : plan_of_table(options));
  const std::string toml = derived.toml();
  if (!options.output.empty()) {
    std::ofstream file(options.output, std::ios::binary);
    file << toml;
    if (!file.flush()) {
      return Error{Code::kUnavailable, "cannot write " + options.output, "output", ""};
    }
  }
  if (options.is_json) {
    std::fputs(as_json(derived).c_str(), stdout);
  } else if (options.output.empty()) {
    std::fputs(toml.c_str(), stdout);
  } else {
    for (const PlanReason& reason : derived.reasons) {
      std::printf("%s %s: %s\n", reason.is_used ? "+" : "-", reason.of.c_str(),
                  reason.reason.c_str());
    }
  }
  return ok_status();
}

}  // namespace

void add_tune(Command& app, Action& chosen) {
  Command* tune =
      add_command(app, kUnderstandGroup, "tune", "Derives from data what learning goes by",
                  "attune tune plan train.csv --target y --output plan.toml");
  tune->require_subcommand(1);
  const auto options = std::make_shared<TunePlanOptions>();
  Command* command =
      add_command(*tune, "Commands", "plan", "A plan of features, with the reason for each column",
                  "attune tune plan train.csv --target y\n"
                  "attune tune plan train.csv --target y --drop duration --output plan.toml\n"
                  "attune tune plan --workspace shop --output plan.toml");
  command->add_option("file", options->file, "a table: CSV, TSV or JSONL, packed or not");
  command->add_option("--workspace", options->workspace, "a stopped workspace instead");
  command->add_option("--target", options->derive.target, "the column to predict");
  command->add_option("--positive", options->derive.positive, "its text that means 1");
  command->add_option("--weight", options->derive.weight, "the column of each row's importance");
  command->add_option("--drop", options->derive.drop, "a column to leave out; may be repeated");
  command->add_option("--allow-sensitive", options->derive.allow,
                      "a sensitive name to let in; may be repeated");
  command->add_option("--output", options->output, "where the plan goes; stdout when absent");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return tune_plan(*options); }; });
}

}  // namespace attune
