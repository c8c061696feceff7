// Commands about one person: what is known, everything stored, erasure.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/command_line.h"
#include "base/json.h"
#include "cli/access.h"
#include "cli/commands.h"
#include "cli/export_decisions.h"
#include "cli/help.h"
#include "profile/profile_json.h"

namespace attune {
namespace {

struct PersonOptions {
  std::string format;  // of an export; "" = JSON lines of a person
  Place place;
  std::string person;
  std::string output;
  bool is_yes = false;
  bool is_json = false;
};

std::string route(const PersonOptions& options, std::string_view rest = "") {
  return "/api/v1/persons/" + percent_encoded(options.person) + std::string(rest);
}

Status show(const PersonOptions& options) {
  std::string profile;
  if (!options.place.server.empty()) {
    TRY(Client client, connect_admin(options.place.server));
    TRY(profile, client.call("GET", route(options), ""));
  } else {
    TRY(const auto engine, open_stopped(options.place.workspace));
    const auto [type, id] = typed_person(options.person);
    TRY(const Profile found, engine->profile_of(type, id));
    profile = profile_json(found, engine->now());
  }
  std::printf("%s\n", profile.c_str());
  return ok_status();
}

// Lines go here: standard output, or a new file that only its owner reads.
class Sink {
 public:
  static Result<Sink> open(const std::string& path) {
    Sink sink;
    if (path.empty() || path == "-") return sink;
    if (std::filesystem::exists(path)) {
      return Error{Code::kConflict, path + " is there already", "output",
                   "name a file that does not exist yet"};
    }
    sink.file_.open(path, std::ios::binary);
    std::error_code error;
    std::filesystem::permissions(
        path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
    if (sink.file_ && !error) return sink;
    return Error{Code::kUnavailable, "cannot write " + path, "output", "check the folder"};
  }
  void line(std::string_view text) {
    ++lines_;
    stream() << text << '\n';
  }
  std::uint64_t lines() const { return lines_; }
  Status finish() {
    if (stream().flush()) return ok_status();
    return Error{Code::kUnavailable, "cannot write all of the export", "output",
                 "check free space"};
  }

 private:
  std::ostream& stream() {
    if (file_.is_open()) return file_;
    return std::cout;
  }
  std::ofstream file_;
  std::uint64_t lines_ = 0;
};

Status export_lines(const PersonOptions& options, Sink& sink) {
  if (options.place.server.empty()) {
    TRY(const auto engine, open_stopped(options.place.workspace));
    const auto [type, id] = typed_person(options.person);
    return engine->export_person(type, id, [&](std::string_view line) { sink.line(line); });
  }
  TRY(Client client, connect_admin(options.place.server));
  TRY(const std::string answer, client.call("GET", route(options, "/export"), ""));
  for (std::string_view left = answer; !left.empty();) {
    const auto end = std::min(left.find('\n'), left.size() - 1);
    const bool has_newline = left[end] == '\n';
    sink.line(left.substr(0, has_newline ? end : end + 1));
    left.remove_prefix(end + 1);
  }
  return ok_status();
}

Status say_written(const PersonOptions& options, std::uint64_t lines) {
  if (options.is_json) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().field("lines", lines).field("output", options.output).end_object();
    std::printf("%s\n", out.c_str());
  } else if (!options.output.empty() && options.output != "-") {
    std::fprintf(stderr, "attune: %llu lines in %s\n", static_cast<unsigned long long>(lines),
                 options.output.c_str());
  }
  return ok_status();
}

Status export_decisions(const PersonOptions& options) {
  if (!options.person.empty() || !options.place.server.empty()) {
    return Error{Code::kInvalid, "--format obd exports the decisions of all persons of a folder",
                 "format", "leave the person and --server out"};
  }
  TRY(const std::uint64_t rows, export_obd(options.place.workspace, options.output));
  return say_written(options, rows);
}

Status export_person(const PersonOptions& options) {
  if (options.format == "obd") return export_decisions(options);
  if (options.person.empty()) {
    return Error{Code::kInvalid, "name the person, or --format obd for all decisions", "person",
                 "attune export u-17 --workspace shop"};
  }
  const bool is_file = !options.output.empty() && options.output != "-";
  if (options.is_json && !is_file) {
    return Error{Code::kInvalid, "the lines themselves go to standard output", "output",
                 "name a file with --output, or leave --json out"};
  }
  TRY(Sink sink, Sink::open(options.output));
  TRY_OK(export_lines(options, sink));
  TRY_OK(sink.finish());
  return say_written(options, sink.lines());
}

Status erase(const PersonOptions& options) {
  TRY_OK(confirm("Erase all that is stored of " + options.person +
                     ", here and in every backup? It cannot be undone.",
                 options.is_yes));
  std::string receipt;
  if (!options.place.server.empty()) {
    TRY(Client client, connect_admin(options.place.server));
    TRY(receipt, client.call("DELETE", route(options), ""));
  } else {
    TRY(const auto engine, open_stopped(options.place.workspace));
    const auto [type, id] = typed_person(options.person);
    TRY(receipt, engine->erase(type, id));
    TRY_OK(engine->close());
  }
  std::printf("%s\n", receipt.c_str());
  return ok_status();
}

Command* add_person_command(Command& app, const char* name, const char* summary,
                            const char* examples, const std::shared_ptr<PersonOptions>& options) {
  Command* command = add_command(app, kOperateGroup, name, summary, examples);
  command->add_option("person", options->person, "user id, or anonymous_id:ID")
      ->required(std::string_view(name) != "export");
  command->add_option("--workspace", options->place.workspace, "folder of the workspace");
  command->add_option("--server", options->place.server,
                      "ask a running server instead, with the key in ATTUNE_ADMIN_KEY");
  return command;
}

}  // namespace

void add_person(Command& app, Action& chosen) {
  const auto options = std::make_shared<PersonOptions>();
  Command* command =
      add_person_command(app, "person", "What is known of a person",
                         "attune person u-17 --workspace shop\nattune person anonymous_id:a-2 "
                         "--server http://127.0.0.1:8090",
                         options);
  command->add_flag("--json", options->is_json, "the output is JSON already");
  command->callback([options, &chosen] { chosen = [options] { return show(*options); }; });
}

void add_export(Command& app, Action& chosen) {
  const auto options = std::make_shared<PersonOptions>();
  Command* command = add_person_command(
      app, "export",
      "Everything stored of a person as JSON lines: profile, events, decisions; or all decisions "
      "with their propensities as CSV",
      "attune export u-17 --workspace shop --output u-17.jsonl\n"
      "attune export --format obd --workspace shop --output decisions.csv",
      options);
  command->add_option("--format", options->format, "obd: a row per shown item, as Open Bandit")
      ->check(one_of({"obd"}));
  command->add_option("--output", options->output, "a new file; - or nothing: standard output");
  command->add_flag("--json", options->is_json, "one JSON object about the file written");
  command->callback([options, &chosen] { chosen = [options] { return export_person(*options); }; });
}

void add_erase(Command& app, Action& chosen) {
  const auto options = std::make_shared<PersonOptions>();
  Command* command = add_person_command(
      app, "erase", "Erases a person with all linked identities, in backups too; prints a receipt",
      "attune erase u-17 --workspace shop --yes", options);
  command->add_flag("--yes", options->is_yes, "do not ask");
  command->add_flag("--json", options->is_json, "the receipt is JSON already");
  command->callback([options, &chosen] { chosen = [options] { return erase(*options); }; });
}

}  // namespace attune
