// Commands about a whole workspace at rest: backup, restore, retention.
#include <cstdio>
#include <filesystem>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/access.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "engine/restore.h"

namespace attune {
namespace {

using ull = unsigned long long;

struct BackupOptions {
  Place place;
  std::string output;
  std::string archive, keys;
  double days = 0;
  bool is_yes = false;
  bool is_json = false;
};

// The server writes into the folder for backups it was given: only a name goes there.
Status backup_by_server(const BackupOptions& options) {
  if (options.output.find('/') != std::string::npos) {
    return Error{Code::kInvalid,
                 "--output " + options.output + ": a server writes into its own folder", "output",
                 "give a name without a folder"};
  }
  TRY(Client client, connect_admin(options.place.server));
  std::string body;
  JsonWriter(body).begin_object().field("name", options.output).end_object();
  TRY(const std::string answer, client.call("POST", "/api/v1/backup", body));
  std::printf("%s\n", answer.c_str());
  return ok_status();
}

Status backup(const BackupOptions& options) {
  if (!options.place.server.empty()) return backup_by_server(options);
  TRY(const auto engine, open_stopped(options.place.workspace));
  TRY(const BackupReport report, engine->backup(options.output));
  TRY_OK(engine->close());
  if (options.is_json) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("output", options.output).field("files", report.files);
    json.field("bytes", report.bytes).field("position", report.position).end_object();
    std::printf("%s\n", out.c_str());
  } else {
    std::printf("%s: %llu files, %llu bytes, as of record %llu\n", options.output.c_str(),
                static_cast<ull>(report.files), static_cast<ull>(report.bytes),
                static_cast<ull>(report.position));
  }
  std::fprintf(stderr, "attune: no keys are inside; keep a copy of %s/keys apart from it\n",
               options.place.workspace.c_str());
  return ok_status();
}

Status restore(const BackupOptions& options) {
  TRY(const RestoreReport report,
      restore_workspace(options.archive, options.keys, options.place.workspace));
  if (options.is_json) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("workspace", options.place.workspace).field("events", report.events);
    json.field("decisions", report.decisions).field("identities", report.identities);
    json.field("erased_since_backup", report.erased).field("position", report.position);
    json.end_object();
    std::printf("%s\n", out.c_str());
    return ok_status();
  }
  std::printf("%s: %llu events and %llu decisions of %llu identities came back\n",
              options.place.workspace.c_str(), static_cast<ull>(report.events),
              static_cast<ull>(report.decisions), static_cast<ull>(report.identities));
  if (report.erased != 0) {
    std::printf("%llu identities erased since the backup were dropped\n",
                static_cast<ull>(report.erased));
  }
  return ok_status();
}

Status retain(const BackupOptions& options) {
  TRY_OK(require_workspace(options.place.workspace));
  TRY_OK(confirm("Drop the log files of " + options.place.workspace + " that are older?",
                 options.is_yes));
  TRY(const auto engine, open_stopped(options.place.workspace, options.days * 86400));
  TRY(const std::uint64_t dropped, engine->retain());
  TRY_OK(engine->close());
  if (options.is_json) {
    std::printf("{\"dropped_records\":%llu}\n", static_cast<ull>(dropped));
  } else {
    std::printf("%llu records dropped; what they made of the profiles stays\n",
                static_cast<ull>(dropped));
  }
  return ok_status();
}

}  // namespace

void add_backup(Command& app, Action& chosen) {
  const auto options = std::make_shared<BackupOptions>();
  Command* command =
      add_command(app, kOperateGroup, "backup", "One archive of everything but the keys",
                  "attune backup --workspace shop --output monday.tar.zst");
  command->add_option("--workspace", options->place.workspace, "folder of the workspace");
  command->add_option("--output", options->output, "a new file, .tar or .tar.zst")->required();
  command->add_option("--server", options->place.server,
                      "ask a running server instead, with the key in ATTUNE_ADMIN_KEY");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return backup(*options); }; });
}

void add_restore(Command& app, Action& chosen) {
  const auto options = std::make_shared<BackupOptions>();
  Command* command = add_command(
      app, kOperateGroup, "restore", "Makes a workspace of an archive and the newest key file",
      "attune restore monday.tar.zst --keys shop/keys --workspace shop-again");
  command->add_option("archive", options->archive, "what attune backup wrote")->required();
  command->add_option("--keys", options->keys, "the newest copy of the key file")->required();
  command->add_option("--workspace", options->place.workspace, "new folder")->required();
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return restore(*options); }; });
}

void add_retain(Command& app, Action& chosen) {
  const auto options = std::make_shared<BackupOptions>();
  Command* command = add_command(app, kOperateGroup, "retain",
                                 "Drops whole log files older than that; profiles and models stay",
                                 "attune retain --keep-days 365 --workspace shop --yes");
  command->add_option("--workspace", options->place.workspace, "folder of the workspace");
  command->add_option("--keep-days", options->days, "days of records kept")
      ->required()
      ->check(range(0.01, 36500.0));
  command->add_flag("--yes", options->is_yes, "do not ask");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return retain(*options); }; });
}

}  // namespace attune
