// Settings: every option of the program that a user may set, bound to one Config. Sources in order:
// flag, environment, TOML file, default. Secrets are never among them.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/http_settings.h"
#include "api/options.h"
#include "base/config.h"
#include "base/log.h"
#include "collect/options.h"
#include "engine/options.h"
#include "engine/retraining.h"

namespace attune {

class Command;

struct Settings {
  EngineSettings engine;
  RetrainingSettings training;
  HttpSettings http;
  ApiOptions api;
  CollectSettings collect;
  LogOptions log;
  Config config;  // its rows point at the fields above
  Settings();
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
};

// What the command line said of them.
struct GivenSettings {
  struct Given {
    std::string key, value, source;
  };
  std::string file;                 // --config
  std::vector<Given> by_flag;       // --memory 512M
  std::vector<std::string> by_key;  // --set section.key=value
};

struct SettingFlag {
  const char* flag;  // "--memory"
  const char* key;   // "workspace.memory_bytes"
};
inline constexpr SettingFlag kWorkspaceFlag = {"--workspace", "workspace.path"};

// Adds --config, --set and these flags to the command; their help is that of their keys.
std::shared_ptr<GivenSettings> add_settings(Command& command,
                                            const std::vector<SettingFlag>& flags);

Status load(const GivenSettings& given, Settings& settings);

}  // namespace attune
