// The options that say what a file is, alike for train, eval, predict and explain.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/example_reader.h"
#include "format/table.h"
#include "learn/trained.h"

namespace attune {

class Command;

struct FileOptions {
  std::string file;
  std::string format;               // "" = by its name; csv, tsv, jsonl, criteo, vw, libsvm, libffm
  std::string delimiter, encoding;  // of a table; "" = guessed
  bool has_no_header = false;

  bool is_table() const;  // by --format, if that says it
  // Of a file made for learners; nullopt = a table.
  Result<std::optional<ExampleFormat>> example() const;
  // The same; without --format what the model learned from, if that was no table and the file is
  // not named as one.
  Result<std::optional<ExampleFormat>> example_for(const Trained& trained) const;
  Result<TableOptions> table() const;
};

// --format, --delimiter, --encoding, --no-header
void add_format_options(Command& command, FileOptions& options);

}  // namespace attune
