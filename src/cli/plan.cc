// attune plan: the plan a row is made by, to read, to check, to begin an own one from.
#include "cli/plan.h"

#include <cstdio>
#include <fstream>
#include <iterator>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/access.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "engine/observe.h"
#include "feature/input_names.h"

namespace attune {
namespace {

struct PlanOptions {
  std::string file, workspace;
  bool is_json = false;
};

// What of the plan nobody in the workspace has: on stderr.
Status check_names(const Plan& plan, const std::string& workspace) {
  TRY(const auto engine, open_stopped(workspace));
  InputNames names;
  names.add_items(*engine->catalog());
  TRY_OK(engine->close());
  Observer observer;
  observer.event = [&](const SeenEvent& seen) { names.add_traits(seen.event.traits); };
  TRY([[maybe_unused]] const Observed observed, observe(workspace, observer));
  for (const UnknownInput& one : names.unknown(plan)) {
    std::fprintf(stderr, "warning: %s\n", said_of(one).c_str());
  }
  return ok_status();
}

Status say_plan(const PlanOptions& options) {
  Plan plan = new_plan();
  if (!options.file.empty()) {
    TRY(Plan read, read_plan(options.file));
    plan = std::move(read);
  }
  if (!options.workspace.empty()) TRY_OK(check_names(plan, options.workspace));
  if (!options.is_json) {
    std::fputs(plan.toml().c_str(), stdout);
    return ok_status();
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("feature").begin_array();
  for (const PlanFeature& feature : plan.features) {
    json.begin_object().field("kind", kind_name(feature.kind));
    json.field("scale", static_cast<double>(feature.scale)).key("traits").begin_array();
    for (const std::string& name : feature.traits) json.value(name);
    json.end_array().key("of").begin_array();
    for (const std::string& input : feature.of) json.value(input);
    json.end_array().end_object();
  }
  json.end_array().key("sensitive").begin_array();
  for (const std::string& name : plan.sensitive.names) json.value(name);
  json.end_array().key("allow").begin_array();
  for (const std::string& name : plan.sensitive.allow) json.value(name);
  json.end_array().end_object();
  std::printf("%s\n", out.c_str());
  return ok_status();
}

}  // namespace

Result<Plan> read_plan(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{Code::kNotFound, "no plan at " + path, "workspace.plan",
                 "attune plan > plan.toml makes one to begin from"};
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return Plan::declare(text, path);
}

void add_plan(Command& app, Action& chosen) {
  const auto options = std::make_shared<PlanOptions>();
  Command* command =
      add_command(app, kOperateGroup, "plan", "Prints the default plan of features, or checks one",
                  "attune plan > plan.toml\n"
                  "attune plan plan.toml\n"
                  "attune plan plan.toml --workspace shop   says what no item and no person has");
  command->add_option("file", options->file, "a plan to check and print as it is understood");
  command->add_option("--workspace", options->workspace,
                      "of a stopped workspace: whether somebody has each input");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return say_plan(*options); }; });
}

}  // namespace attune
