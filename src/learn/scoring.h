// Scoring: the rows of a file through a trained model, in the order of the file, in constant
// memory. One thread.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/example_reader.h"
#include "format/table.h"
#include "learn/trained.h"

namespace attune {

struct ScoredRow {
  std::optional<float> prediction;  // absent: the row could not be read
  float label = 0;                  // NaN = none
  // row ("C3=68fd1e64"), "" where it has none.
  std::span<const std::string_view> cells;
  std::span<const float> heads = {};  // predictions of every task, if asked for
};

struct ScoringOptions {
  std::string file;
  TableOptions table;
  std::optional<ExampleFormat> example;  // absent: a table
  bool with_heads = false;               // of a table: predictions of every task
  // What else is asked of a row: columns of a table, fields of another file (the reader's names).
  // kInvalid names a column that is not there.
  std::vector<std::string> columns;  // named by option, see column_options
  std::vector<std::string> column_options;
  std::function<void(double share, std::uint64_t rows)> on_progress;
};

struct ScoringReport {
  std::uint64_t rows = 0, bad_rows = 0;
  std::vector<BadRow> first_bad;
};

// Calls take(row, asked) for every row, bad ones too, in order; asked = the places of
// options.columns in row.cells. kInvalid when the file is not what the model reads, or lacks
// columns.
using TakeRow = std::function<Status(const ScoredRow&, std::span<const std::size_t> asked)>;
Result<ScoringReport> score_file(const Trained& trained, const ScoringOptions& options,
                                 const TakeRow& take);

// kInvalid when a file of this format is not what the model was trained on.
Status check_input(const Trained& trained, const std::optional<ExampleFormat>& example);

}  // namespace attune
