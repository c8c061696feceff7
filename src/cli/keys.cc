// attune keys: the API keys of a stopped workspace. A running server does it at /api/v1/keys.
#include "api/keys.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/settings.h"

namespace attune {
namespace {

struct KeysOptions {
  std::string name, id;
  std::vector<std::string> scopes;
  bool is_json = false;
  std::shared_ptr<GivenSettings> given;
};

Result<std::unique_ptr<Engine>> open_stopped(const std::string& workspace) {
  if (!std::filesystem::is_directory(workspace + "/journal")) {
    return Error{Code::kNotFound, "no workspace at " + workspace, "workspace",
                 "name the folder that attune serve uses with --workspace"};
  }
  EngineOptions options;
  options.workspace = workspace;
  options.is_ticking = false;
  return Engine::open(options);
}

using Work = Status (*)(ApiKeys&, const KeysOptions&);

Status with_keys(const KeysOptions& options, Work work) {
  Settings settings;
  TRY_OK(load(*options.given, settings));
  TRY(const auto engine, open_stopped(settings.engine.options.workspace));
  ApiKeys keys(*engine);
  TRY_OK(work(keys, options));
  return engine->close();
}

std::string joined_scopes(std::uint8_t scopes) {
  return fmt::format("{}", fmt::join(scope_names(scopes), ","));
}

Status create(ApiKeys& keys, const KeysOptions& options) {
  std::uint8_t scopes = 0;
  for (const std::string& name : options.scopes) {
    scopes = static_cast<std::uint8_t>(scopes | bit(scope_from_name(name).value_or(Scope::kNone)));
  }
  TRY(const NewKey made, keys.create(options.name, scopes));
  if (options.is_json) {
    std::string out;
    JsonWriter(out).begin_object().field("id", made.id).field("key", made.key).end_object();
    std::printf("%s\n", out.c_str());
    return ok_status();
  }
  std::printf("%s\n", made.key.c_str());
  std::fprintf(stderr, "attune: key %s may %s; note it now, nobody can tell it later\n",
               made.id.c_str(), joined_scopes(scopes).c_str());
  return ok_status();
}

Status list(ApiKeys& keys, const KeysOptions& options) {
  std::string out = "[";
  for (const StoredKey& key : keys.list()) {
    if (options.is_json) {
      out += (out.size() > 1 ? "," : "") + key_json(key);
      continue;
    }
    std::printf("%-14s %-20s %-24s %s  %s\n", key.id.c_str(), key.name.c_str(),
                joined_scopes(key.scopes).c_str(), format_iso8601(key.created).c_str(),
                key.is_revoked ? "revoked" : "");
  }
  if (options.is_json) std::printf("{\"keys\":%s]}\n", out.c_str());
  return ok_status();
}

Status revoke(ApiKeys& keys, const KeysOptions& options) {
  TRY_OK(keys.revoke(options.id));
  std::printf("%s\n", options.is_json ? "{\"success\":true}" : (options.id + " revoked").c_str());
  return ok_status();
}

}  // namespace

void add_keys(Command& app, Action& chosen) {
  Command* keys = add_command(app, kOperateGroup, "keys", "API keys of a stopped workspace",
                              "attune keys create shop-site --scope write --workspace shop\n"
                              "attune keys list --workspace shop\n"
                              "attune keys revoke k_2q7c9m4x1a --workspace shop");
  keys->require_subcommand(1);
  const auto add = [&](const char* name, const char* summary, const char* example, Work work,
                       const auto& more) {
    const auto options = std::make_shared<KeysOptions>();
    Command* command = add_command(*keys, "Commands", name, summary, example);
    more(*command, *options);
    options->given = add_settings(*command, {kWorkspaceFlag});
    command->add_flag("--json", options->is_json, "one JSON object on stdout");
    command->callback([=, &chosen] { chosen = [=] { return with_keys(*options, work); }; });
  };
  add("create", "Makes a key and prints it, this once",
      "attune keys create shop-site --scope write --workspace shop", create,
      [](Command& command, KeysOptions& options) {
        command.add_option("name", options.name, "what it is for")->required()->type_name("NAME");
        command
            .add_option("--scope", options.scopes, "write, decide, read or admin; may be repeated")
            ->required()
            ->check(one_of({"write", "decide", "read", "admin"}))
            ->type_name("SCOPE")
            ->allow_extra_args(false);
      });
  add("list", "Every key but the key itself, revoked ones too", "attune keys list --workspace shop",
      list, [](Command&, KeysOptions&) {});
  add("revoke", "Ends a key", "attune keys revoke k_2q7c9m4x1a --workspace shop", revoke,
      [](Command& command, KeysOptions& options) {
        command.add_option("id", options.id, "of the key: attune keys list")
            ->required()
            ->type_name("ID");
      });
}

}  // namespace attune
