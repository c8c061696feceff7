#include "learn/scoring.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "base/nearest.h"
#include "learn/block_source.h"

namespace attune {
namespace {

constexpr std::size_t kBadRowsKept = 10;

double share_of(const ByteSource& bytes) {
  if (bytes.size() == 0) return -1;
  return static_cast<double>(bytes.taken()) / static_cast<double>(bytes.size());
}

// Rows of a table wait here until a block of them is scored at once.
class TableScoring {
 public:
  TableScoring(const Trained& trained, const ScoringOptions& options, const TakeRow& take)
      : trained_(trained), options_(options), take_(take) {}

  Result<ScoringReport> run() {
    TRY(reader_, TableReader::open(options_.file, options_.table));
    TRY(const TableRows rows, bound());
    TRY_OK(find_asked());
    while (true) {
      TRY(const TableReader::Next next, reader_->next());
      if (next == TableReader::Next::kEnd) break;
      if (next == TableReader::Next::kBad) {
        note_bad();
        continue;
      }
      rows.append(reader_->cells(), block_);
      keep_cells();
      is_bad_.push_back(false);
      if (block_.size() == kBlockRows) TRY_OK(flush());
    }
    TRY_OK(flush());
    return std::move(report_);
  }

 private:
  Result<TableRows> bound() const {
    auto rows = trained_.rows->bind(reader_->shape().columns);
    if (rows.ok()) return rows;
    Error error = std::move(rows).error();
    error.message = fmt::format("{}: {}, which the model needs", options_.file, error.message);
    return error;
  }

  Status find_asked() {
    const auto& columns = reader_->shape().columns;
    for (std::size_t i = 0; i < options_.columns.size(); ++i) {
      const auto at = std::find(columns.begin(), columns.end(), options_.columns[i]);
      if (at != columns.end()) {
        asked_.push_back(static_cast<std::size_t>(at - columns.begin()));
        continue;
      }
      const std::string near = nearest(options_.columns[i], columns);
      return Error{
          Code::kInvalid,
          fmt::format("--{} {}: no such column{}", options_.column_options[i], options_.columns[i],
                      near.empty() ? "" : ", did you mean " + near + "?"),
          options_.column_options[i], ""};
    }
    return ok_status();
  }

  void note_bad() {
    ++report_.bad_rows;
    if (report_.first_bad.size() < kBadRowsKept) report_.first_bad.push_back(reader_->bad());
    is_bad_.push_back(true);
  }

  // Only where somebody asks for cells: they must outlive the reader's.
  void keep_cells() {
    if (asked_.empty()) return;
    for (const std::string_view cell : reader_->cells()) {
      text_.append(cell);
      ends_.push_back(text_.size());
    }
  }

  void cells_of(std::size_t row, std::vector<std::string_view>& out) const {
    const std::size_t n = asked_.empty() ? 0 : reader_->shape().columns.size();
    out.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t at = row * n + i, begin = at == 0 ? 0 : ends_[at - 1];
      out[i] = std::string_view(text_).substr(begin, ends_[at] - begin);
    }
  }

  // Numbers of each row of predicted_.
  std::size_t predict_block() {
    if (!options_.with_heads) {
      trained_.predict(block_, predicted_);
      return 1;
    }
    trained_.predict_heads(block_, predicted_);
    return trained_.model->heads();
  }

  Status flush() {
    labels_ = block_.labels;
    const std::size_t heads = predict_block();
    std::vector<std::string_view> cells;
    std::size_t row = 0;
    for (const bool is_bad : is_bad_) {
      ScoredRow scored;
      if (!is_bad) {
        cells_of(row, cells);
        scored = {predicted_[row * heads], labels_[row], cells};
        if (options_.with_heads) scored.heads = std::span(predicted_).subspan(row * heads, heads);
        ++row;
      }
      TRY_OK(take_(scored, asked_));
    }
    report_.rows += is_bad_.size();
    if (options_.on_progress) options_.on_progress(share_of(reader_->bytes()), report_.rows);
    block_.clear();
    is_bad_.clear();
    text_.clear();
    ends_.clear();
    return ok_status();
  }

  const Trained& trained_;
  const ScoringOptions& options_;
  const TakeRow& take_;
  std::unique_ptr<TableReader> reader_;
  std::vector<std::size_t> asked_;
  Examples block_;
  std::vector<float> predicted_, labels_;
  std::vector<bool> is_bad_;  // of the rows that wait, in order
  std::string text_;          // cells of the good ones
  std::vector<std::size_t> ends_;
  ScoringReport report_;
};

// One row a call to the reader, so that bad rows keep their places; scored in blocks.
class ExampleScoring {
 public:
  ExampleScoring(const Trained& trained, const ScoringOptions& options, const TakeRow& take)
      : trained_(trained), options_(options), take_(take), asked_(options.columns.size()) {
    std::iota(asked_.begin(), asked_.end(), std::size_t{0});
  }

  Result<ScoringReport> run() {
    TRY(reader_,
        ExampleReader::open(options_.file, *options_.example, trained_.example_options(sink())));
    Examples one;
    while (true) {
      names_.clear();
      const std::uint64_t bad_before = reader_->bad_rows();
      TRY(const bool has_row, reader_->next(1, one));
      is_bad_.insert(is_bad_.end(), reader_->bad_rows() - bad_before, true);
      if (!has_row) break;
      keep_names(one);
      append_row(one, 0, block_);
      is_bad_.push_back(false);
      if (block_.size() == kBlockRows) TRY_OK(flush());
    }
    TRY_OK(flush());
    TRY_OK(check_asked());
    report_.bad_rows = reader_->bad_rows();
    const auto bad = reader_->first_bad();
    report_.first_bad.assign(bad.begin(), bad.end());
    return std::move(report_);
  }

 private:
  NameSink sink() {
    if (asked_.empty()) return nullptr;
    return [this](std::uint32_t hash, std::string_view name) { names_[hash] = name; };
  }

  std::optional<std::uint16_t> field_of(const std::string& name) const {
    const auto fields = reader_->field_names();
    const auto at = std::find(fields.begin(), fields.end(), name);
    if (at == fields.end()) return std::nullopt;
    return static_cast<std::uint16_t>(at - fields.begin());
  }

  void keep_names(const Examples& one) {
    for (const std::string& name : options_.columns) {
      const auto field = field_of(name);
      const auto at = std::find(one.fields.begin(), one.fields.end(), field.value_or(0));
      std::string text;
      if (field && at != one.fields.end()) {
        text = names_[one.features[static_cast<std::size_t>(at - one.fields.begin())].hash];
      }
      texts_.push_back(std::move(text));
    }
  }

  // Fields may turn up anywhere in the file.
  Status check_asked() const {
    for (std::size_t i = 0; i < options_.columns.size(); ++i) {
      if (field_of(options_.columns[i])) continue;
      const auto fields = reader_->field_names();
      const std::string near =
          nearest(options_.columns[i], std::vector<std::string>(fields.begin(), fields.end()));
      return Error{
          Code::kInvalid,
          fmt::format("--{} {}: no such field{}", options_.column_options[i], options_.columns[i],
                      near.empty() ? "" : ", did you mean " + near + "?"),
          options_.column_options[i], ""};
    }
    return ok_status();
  }

  Status flush() {
    labels_ = block_.labels;
    trained_.predict(block_, predicted_);
    std::vector<std::string_view> cells(asked_.size());
    std::size_t row = 0;
    for (const bool is_bad : is_bad_) {
      ScoredRow scored;
      if (!is_bad) {
        for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = texts_[row * cells.size() + i];
        scored = {predicted_[row], labels_[row], cells};
        ++row;
      }
      TRY_OK(take_(scored, asked_));
    }
    report_.rows += is_bad_.size();
    if (options_.on_progress) options_.on_progress(share_of(reader_->bytes()), report_.rows);
    block_.clear();
    is_bad_.clear();
    texts_.clear();
    return ok_status();
  }

  const Trained& trained_;
  const ScoringOptions& options_;
  const TakeRow& take_;
  std::unique_ptr<ExampleReader> reader_;
  std::vector<std::size_t> asked_;
  std::unordered_map<std::uint32_t, std::string> names_;  // of the features of this row
  std::vector<std::string> texts_;                        // of the fields asked for, row after row
  Examples block_;
  std::vector<float> predicted_, labels_;
  std::vector<bool> is_bad_;
  ScoringReport report_;
};

}  // namespace

Status check_input(const Trained& trained, const std::optional<ExampleFormat>& example) {
  const bool is_of_files = trained.input != kWorkspaceInput;
  if (is_of_files && trained.rows.has_value() == !example.has_value()) return ok_status();
  if (!is_of_files) {
    return Error{Code::kInvalid, "the model reads the decisions of a workspace, not files", "file",
                 "leave the file out and add --workspace"};
  }
  if (trained.rows) {
    return Error{Code::kInvalid, "the model reads tables, not files of another --format", "format",
                 "leave out --format, or use a model trained on such a file"};
  }
  return Error{Code::kInvalid, fmt::format("the model reads files of format {}", trained.input),
               "format", fmt::format("add --format {}", trained.input)};
}

Result<ScoringReport> score_file(const Trained& trained, const ScoringOptions& options,
                                 const TakeRow& take) {
  TRY_OK(check_input(trained, options.example));
  if (options.example) return ExampleScoring(trained, options, take).run();
  return TableScoring(trained, options, take).run();
}

}  // namespace attune
