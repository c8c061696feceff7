#include "cli/import.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/access.h"
#include "cli/commands.h"
#include "cli/help.h"

namespace attune {
namespace {

void say_bad(const FileImportReport& report) {
  for (const BadRow& bad : report.first_bad) {
    std::fprintf(stderr, "line %llu%s%s: %s\n", static_cast<unsigned long long>(bad.line),
                 bad.column.empty() ? "" : ", column ", bad.column.c_str(), bad.reason.c_str());
  }
  if (report.bad_rows > report.first_bad.size()) {
    std::fprintf(stderr, "and %llu more bad rows\n",
                 static_cast<unsigned long long>(report.bad_rows - report.first_bad.size()));
  }
}

Status import_and_say(const FileImportOptions& options) {
  if (options.format.empty() || options.path.empty()) {
    std::string known;
    for (const EventFormat& one : event_formats()) {
      known += fmt::format("\n    {:<20} {}", one.name, one.summary);
    }
    return Error{Code::kInvalid, "name a format and a file: attune import csv orders.csv", "format",
                 "the formats are" + known};
  }
  FileImportReport report;
  const Status done = import_file(options, report);
  if (!done.ok()) return done;
  say_bad(report);
  const std::string said =
      options.is_json ? import_report_json(report) : import_sentence(report, options);
  std::printf("%s\n", said.c_str());
  if (report.rows == 0 || report.accepted > 0 || report.state == "known") return ok_status();
  return Error{Code::kCorrupt, fmt::format("{}: no row is good", options.path), "",
               "--map says which column is what, --delimiter and --encoding how it is written"};
}

// ---- list, commit, undo

struct OneImport {
  std::string workspace;
  std::uint64_t number = 0;
  bool is_yes = false, is_json = false;
};

std::string_view state_of(const Engine::ImportStatus& one) {
  if (one.import.is_undone) return "undone";
  if (one.is_staged) return one.import.is_done ? "staged" : "staging cut short";
  return one.import.is_done ? "imported" : "cut short";
}

Status list(const OneImport& options) {
  TRY(const auto engine, open_stopped(options.workspace));
  TRY(const auto all, engine->imports());
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("imports").begin_array();
  for (const Engine::ImportStatus& one : all) {
    const Import& import = one.import;
    json.begin_object().field("import", import.number).field("state", state_of(one));
    json.field("kind", import.kind).field("format", import.format).field("source", import.source);
    json.field("digest", import.digest).field("began", format_iso8601(import.began));
    json.field("rows", import.rows).field("accepted", import.accepted);
    json.field("events", import.events).field("dropped", import.dropped).end_object();
    if (options.is_json) continue;
    std::printf("%4llu  %-17s %10llu rows  %-18s %s  %s\n",
                static_cast<unsigned long long>(import.number), std::string(state_of(one)).c_str(),
                static_cast<unsigned long long>(import.rows), import.format.c_str(),
                format_iso8601(import.began).c_str(), import.source.c_str());
  }
  json.end_array().end_object();
  if (options.is_json) std::printf("%s\n", out.c_str());
  if (!options.is_json && all.empty()) std::fprintf(stderr, "attune: nothing was imported\n");
  return engine->close();
}

void say_one(const OneImport& options, std::string_view what, std::uint64_t events) {
  if (!options.is_json) {
    std::printf("import %llu is %s\n", static_cast<unsigned long long>(options.number),
                std::string(what).c_str());
    return;
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("import", options.number).field("state", what);
  if (what == "imported") json.field("events", events);
  json.end_object();
  std::printf("%s\n", out.c_str());
}

Status commit(const OneImport& options) {
  TRY(const auto engine, open_stopped(options.workspace));
  TRY(const Import done, engine->commit_import(options.number));
  TRY_OK(engine->checkpoint());
  TRY_OK(engine->close());
  say_one(options, "imported", done.events);
  return ok_status();
}

Status undo(const OneImport& options) {
  TRY(const auto engine, open_stopped(options.workspace));
  TRY(const auto all, engine->imports());
  const bool is_committed = std::any_of(all.begin(), all.end(), [&](const auto& one) {
    return one.import.number == options.number && !one.is_staged && !one.import.is_undone;
  });
  if (is_committed) {
    TRY_OK(
        confirm("Rebuild the workspace without this import? It makes a cut: imports and erasures "
                "from before it can no longer be undone.",
                options.is_yes));
  }
  TRY_OK(engine->undo_import(options.number));
  TRY_OK(engine->close());
  say_one(options, "undone", 0);
  return ok_status();
}

Command* add_one(Command& parent, const char* name, const char* summary, const char* example,
                 const std::shared_ptr<OneImport>& options) {
  Command* command = add_command(parent, "Commands", name, summary, example);
  if (std::string_view(name) != "list") {
    command->add_option("number", options->number, "number of the import")->required();
  }
  command->add_option("--workspace", options->workspace, "folder of a stopped workspace")
      ->required();
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  return command;
}

void add_rest(Command& parent, Action& chosen) {
  const auto options = std::make_shared<OneImport>();
  add_one(parent, "list", "Imports of a workspace, staged ones too",
          "attune import list --workspace shop", options)
      ->callback([options, &chosen] { chosen = [options] { return list(*options); }; });
  add_one(parent, "commit", "Makes a staged import part of the workspace",
          "attune import commit 3 --workspace shop", options)
      ->callback([options, &chosen] { chosen = [options] { return commit(*options); }; });
  Command* command =
      add_one(parent, "undo", "Takes an import back: free while staged, a cut afterwards",
              "attune import undo 3 --workspace shop --yes", options);
  command->add_flag("--yes", options->is_yes, "do not ask");
  command->callback([options, &chosen] { chosen = [options] { return undo(*options); }; });
}

void add_table_flags(Command& command, FileImportOptions& options) {
  command.add_option("--map", options.map,
                     "which column is what: person, anonymous, item, verb, time, value, decision; "
                     "guessed by the columns' names if not given");
  command.add_option("--map-file", options.map_file, "the same from a TOML file");
  command.add_option("--verb", options.verb, "what every row did: purchase, click, view ...");
  command.add_option("--time-format", options.time_format,
                     "auto, iso, s, ms, us (since 1970) or date");
  command.add_option("--traits", options.traits, "columns that are traits of the person")
      ->delimiter(',');
  command.add_option("--keep", options.keep, "columns kept as properties; all = all others")
      ->delimiter(',');
  command.add_option("--delimiter", options.delimiter, "one character, or tab; guessed");
  command.add_option("--encoding", options.encoding,
                     "utf-8, utf-16le, utf-16be, gbk or latin-1; guessed");
  command
      .add_option("--header", options.header, "whether the first row names the columns; guessed")
      ->check(one_of({"yes", "no"}));
}

}  // namespace

void add_import(Command& app, Action& chosen) {
  const auto options = std::make_shared<FileImportOptions>();
  Command* command = add_command(
      app, kOperateGroup, "import",
      "Stores what a file says happened: CSV, JSONL, gowalla-ngcf, amazon-s3rec, "
      "uci-bank-marketing, obd, movielens, criteo, vw, libsvm, libffm; plain, gzip or zstd. Bad "
      "rows "
      "go to a file of their own; the same file again changes nothing; what was cut short goes on",
      "attune import csv orders.csv --workspace shop --verb purchase --map "
      "person=user_id,item=sku,time=ts,value=amount\n"
      "attune import csv events.csv.gz --dry-run               check, and say what is guessed\n"
      "attune import csv events.csv --workspace shop --stage   then: attune import commit 1\n"
      "attune import jsonl items.jsonl --as items --workspace shop\n"
      "attune import obd open-bandit/ --workspace logs         decisions with their propensities\n"
      "attune import list --workspace shop");
  command->add_option("format", options->format, "csv, jsonl, obd ...");
  command->add_option("path", options->path, "the file, or its folder");
  command->add_option("--workspace", options->workspace,
                      "folder of a stopped workspace; made when absent");
  command->add_option("--as", options->kind, "what rows are: events or items")
      ->check(one_of({"events", "items"}));
  add_table_flags(*command, *options);
  command->add_option("--bad", options->bad_file, "where bad rows go; PATH.bad.csv if not given");
  command->add_flag("--stage", options->is_staged, "store beside the workspace, until commit");
  command->add_flag("--dry-run", options->is_dry_run, "check the rows, store nothing");
  command->add_flag("--yes", options->is_yes, "do not ask about what was guessed");
  command->add_flag("--json", options->is_json, "one JSON object on stdout");
  command->callback([options, command, &chosen] {
    if (command->has_parsed_subcommand()) return;
    chosen = [options] { return import_and_say(*options); };
  });
  add_rest(*command, chosen);
}

}  // namespace attune
