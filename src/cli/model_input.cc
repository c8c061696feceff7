#include "cli/model_input.h"

#include <fmt/format.h>

#include "base/command_line.h"
#include "base/nearest.h"

namespace attune {
namespace {

constexpr const char* kTables[] = {"csv", "tsv", "jsonl"};
constexpr const char* kExamples[] = {"criteo", "vw", "libsvm", "libffm"};

}  // namespace

bool FileOptions::is_table() const {
  return std::find(std::begin(kTables), std::end(kTables), format) != std::end(kTables);
}

Result<std::optional<ExampleFormat>> FileOptions::example() const {
  if (format.empty() || is_table()) return std::optional<ExampleFormat>();
  if (const auto known = example_format(format)) return known;
  std::vector<std::string> names(std::begin(kTables), std::end(kTables));
  names.insert(names.end(), std::begin(kExamples), std::end(kExamples));
  const std::string near = nearest(format, names);
  return Error{Code::kInvalid,
               fmt::format("--format {}: no such format{}", format,
                           near.empty() ? "" : ", did you mean " + near + "?"),
               "format", fmt::format("there are {}", fmt::join(names, ", "))};
}

Result<std::optional<ExampleFormat>> FileOptions::example_for(const Trained& trained) const {
  const bool is_named_as_table =
      file.find(".csv") != std::string::npos || file.find(".jsonl") != std::string::npos;
  if (!format.empty() || trained.rows || is_named_as_table) return example();
  return example_format(trained.input);  // none of a workspace
}

Result<TableOptions> FileOptions::table() const {
  TableOptions table;
  if (format == "jsonl") table.format = TableFormat::kJsonl;
  if (format == "csv" || format == "tsv") table.format = TableFormat::kDelimited;
  if (format == "tsv") table.delimiter = '\t';
  if (has_no_header) table.has_header = false;
  if (!delimiter.empty()) {
    TRY(table.delimiter, parse_delimiter(delimiter));
  }
  TRY(table.encoding, parse_encoding(encoding));
  return table;
}

void add_format_options(Command& command, FileOptions& options) {
  command.add_option("--format", options.format,
                     "csv, tsv, jsonl (guessed), or criteo, vw, libsvm, libffm");
  command.add_option("--delimiter", options.delimiter,
                     "of a table: one character, or tab (guessed)");
  command.add_option("--encoding", options.encoding,
                     "of a table: utf-8, utf-16le, utf-16be, gbk or latin-1 (guessed)");
  command.add_flag("--no-header", options.has_no_header,
                   "of a table: the first line is data (guessed)");
}

}  // namespace attune
