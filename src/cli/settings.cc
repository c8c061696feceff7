#include "cli/settings.h"

#include <unistd.h>

#include "base/command_line.h"

namespace attune {

Settings::Settings() {
  bind(http, config);
  bind(api, config);
  bind(engine, config);
  bind(training, config);
  bind(collect, config);
  bind(log, config);
}

std::shared_ptr<GivenSettings> add_settings(Command& command,
                                            const std::vector<SettingFlag>& flags) {
  auto given = std::make_shared<GivenSettings>();
  const Settings settings;
  for (const SettingFlag& flag : flags) {
    const ConfigRow* row = settings.config.find(flag.key);
    CHECK(row != nullptr);
    const std::string key = flag.key, source = flag.flag;
    command
        .add_option_function(
            source,
            [=](const std::string& value) {
              given->by_flag.push_back({key, value, source});
            },
            row->help)
        ->type_name(row->type == "text" ? "TEXT" : "NUMBER")
        ->default_str(row->initial);
  }
  command.add_option("--config", given->file, "TOML file of settings: attune config reference")
      ->type_name("FILE");
  command.add_option("--set", given->by_key, "any setting, as section.key=value; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  return given;
}

Status load(const GivenSettings& given, Settings& settings) {
  Config& config = settings.config;
  if (!given.file.empty()) TRY_OK(config.load_file(given.file));
  TRY_OK(config.load_environment(environ));
  for (const std::string& pair : given.by_key) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) {
      return Error{Code::kInvalid, "--set " + pair + ": must be section.key=value", "set",
                   "for example --set log.level=warn"};
    }
    TRY_OK(config.set(pair.substr(0, equals), pair.substr(equals + 1), "--set"));
  }
  for (const GivenSettings::Given& flag : given.by_flag) {
    TRY_OK(config.set(flag.key, flag.value, flag.source));
  }
  return ok_status();
}

}  // namespace attune
