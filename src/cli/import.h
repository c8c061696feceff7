// `attune import`: a file's rows into a workspace. import_run.cc reads and stores, import_report.cc
// says what came of it, import.cc is the command.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/event_formats.h"

namespace attune {

struct FileImportOptions {
  std::string format, path, workspace;
  std::string kind = "events";   // or "items"
  std::vector<std::string> map;  // ROLE=COLUMN,...
  std::string map_file, verb, time_format, delimiter, encoding, header, bad_file;
  std::vector<std::string> traits, keep;
  bool is_staged = false, is_dry_run = false, is_yes = false, is_json = false;
};

struct FileImportReport {
  std::uint64_t number = 0;
  std::string state;  // "imported", "staged", "known", "checked"
  std::uint64_t rows = 0, accepted = 0, bad_rows = 0, duplicates = 0, resumed_at = 0;
  std::uint64_t events = 0, dropped = 0, persons = 0, items = 0, without_person = 0;
  double seconds = 0, checkpoint_seconds = 0;
  std::uint64_t peak_memory_bytes = 0;
  std::string bad_file;  // "" = none was written
  std::vector<BadRow> first_bad;
  std::vector<std::string> notes;  // what was guessed or decided
};

// The mapping and the table's look, by the flags and the mapping file.
Result<EventFileOptions> event_file_options(const FileImportOptions& options);
Status import_file(const FileImportOptions& options, FileImportReport& report);

std::string import_report_json(const FileImportReport& report);
std::string import_sentence(const FileImportReport& report, const FileImportOptions& options);

}  // namespace attune
