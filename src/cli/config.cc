// attune config: what the settings are, mean, and where they come from.
#include <fmt/format.h>

#include <cstdio>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/settings.h"

namespace attune {
namespace {

// Each in its range is not all: some must go together.
Status check_together(const Settings& settings) {
  TRY_OK(engine_options(settings.engine));
  TRY_OK(http_options(settings.http));
  return ok_status();
}

Status check(const std::string& file, bool is_json) {
  Settings settings;
  TRY_OK(settings.config.load_file(file));
  TRY_OK(check_together(settings));
  std::uint64_t set = 0;
  for (const ConfigRow& row : settings.config.rows()) {
    if (!settings.config.is_default(row.key)) ++set;
  }
  std::string out = fmt::format("{}: ok, {} keys set", file, set);
  if (is_json) {
    out.clear();
    JsonWriter(out).begin_object().field("ok", true).field("keys_set", set).end_object();
  }
  std::printf("%s\n", out.c_str());
  return ok_status();
}

Status explain(const std::string& key, bool is_json) {
  const Settings settings;
  TRY(std::string text, settings.config.explain(key));
  if (is_json) {
    const ConfigRow& row = *settings.config.find(key);
    text.clear();
    JsonWriter json(text);
    json.begin_object().field("key", row.key).field("help", row.help).field("type", row.type);
    json.field("allowed", row.allowed).field("unit", row.unit);
    json.key("default").raw(json_of(row.get())).end_object();
    text += '\n';
  }
  std::fputs(text.c_str(), stdout);
  return ok_status();
}

Status print(const GivenSettings& given, bool is_json) {
  Settings settings;
  TRY_OK(load(given, settings));
  TRY_OK(check_together(settings));
  const std::string text =
      is_json ? settings.config.print_json() + "\n" : settings.config.print_toml();
  std::fputs(text.c_str(), stdout);
  return ok_status();
}

Status reference() {
  const Settings settings;
  std::fputs(settings.config.reference_markdown().c_str(), stdout);
  return ok_status();
}

struct ConfigOptions {
  std::string file, key;
  bool is_json = false;
};

}  // namespace

void add_config(Command& app, Action& chosen) {
  const auto options = std::make_shared<ConfigOptions>();
  Command* config = add_command(app, kOperateGroup, "config", "The settings",
                                "attune config print --config attune.toml\n"
                                "attune config check attune.toml\n"
                                "attune config explain workspace.retention_s");
  config->require_subcommand(1);
  const auto add = [&](const char* name, const char* summary, const char* example) {
    Command* command = add_command(*config, "Commands", name, summary, example);
    command->add_flag("--json", options->is_json, "one JSON object on stdout");
    return command;
  };
  Command* check_command =
      add("check", "Finds mistakes in a file of settings", "attune config check attune.toml");
  check_command->add_option("file", options->file, "TOML file")->required()->type_name("FILE");
  check_command->callback(
      [=, &chosen] { chosen = [=] { return check(options->file, options->is_json); }; });
  Command* explain_command =
      add("explain", "What a key means and may be", "attune config explain workspace.retention_s");
  explain_command->add_option("key", options->key, "section.key")->required()->type_name("KEY");
  explain_command->callback(
      [=, &chosen] { chosen = [=] { return explain(options->key, options->is_json); }; });
  Command* print_command = add("print", "Every setting as it holds, and where it comes from",
                               "attune config print --config attune.toml --set log.level=warn");
  const auto given = add_settings(*print_command, {});
  print_command->callback(
      [=, &chosen] { chosen = [=] { return print(*given, options->is_json); }; });
  add_command(*config, "Commands", "reference", "Every key with its meaning, as markdown",
              "attune config reference > docs/reference/config.md")
      ->callback([&chosen] { chosen = reference; });
}

}  // namespace attune
