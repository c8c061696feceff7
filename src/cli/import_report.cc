// What came of an import, for people and for programs.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/import.h"

namespace attune {
namespace {

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

double rate_of(const FileImportReport& report) {
  return report.seconds > 0 ? static_cast<double>(report.rows - report.resumed_at) / report.seconds
                            : 0.0;
}

}  // namespace

std::string import_report_json(const FileImportReport& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("import", report.number).field("state", report.state);
  json.field("rows", report.rows).field("accepted", report.accepted);
  json.field("bad_rows", report.bad_rows).field("duplicates", report.duplicates);
  json.field("resumed_at", report.resumed_at).field("events", report.events);
  json.field("dropped", report.dropped).field("persons", report.persons);
  json.field("items", report.items).field("rows_without_person", report.without_person);
  json.field("seconds", report.seconds).field("rows_per_second", rate_of(report));
  json.field("checkpoint_seconds", report.checkpoint_seconds);
  json.field("peak_memory_bytes", report.peak_memory_bytes).field("bad_file", report.bad_file);
  json.key("errors").begin_array();
  for (const BadRow& bad : report.first_bad) {
    json.begin_object().field("line", bad.line).field("column", bad.column);
    json.field("reason", bad.reason).end_object();
  }
  json.end_array().key("notes").begin_array();
  for (const std::string& note : report.notes) json.value(note);
  json.end_array().end_object();
  return out;
}

std::string import_sentence(const FileImportReport& report, const FileImportOptions& options) {
  if (report.state == "known") {
    return fmt::format("nothing to do: {} is import {} already, {}", options.path, report.number,
                       counted(report.rows, "row"));
  }
  std::string out = counted(report.rows, "row");
  if (report.state == "checked") out += " checked";
  out += fmt::format(": {} good, {} bad; {} of {} and {}", report.accepted, report.bad_rows,
                     counted(report.events, report.state == "checked" ? "record" : "record"),
                     counted(report.persons, "person"), counted(report.items, "item"));
  if (report.dropped > 0) {
    out += fmt::format("; {} dropped, their persons refuse storage", report.dropped);
  }
  if (report.resumed_at > 0) out += fmt::format("; went on after row {}", report.resumed_at);
  out += fmt::format("\n{:.1f} s, {:.0f} rows/s", report.seconds, rate_of(report));
  if (report.bad_rows > 0) out += "\nbad rows are in " + report.bad_file;
  if (report.state == "staged") {
    out += fmt::format("\nstaged as import {0}: attune import commit {0} --workspace {1}, or undo",
                       report.number, options.workspace);
  } else if (report.state == "imported") {
    out += fmt::format("\nimport {0}; attune import undo {0} --workspace {1} takes it back",
                       report.number, options.workspace);
  } else {
    out += "\nnothing is stored";
  }
  return out;
}

}  // namespace attune
