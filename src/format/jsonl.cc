#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "format/guess_dialect.h"
#include "format/guess_type.h"
#include "format/json_row.h"
#include "format/table_readers.h"
#include "format/text_lines.h"

namespace attune {
namespace {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

class JsonlReader final : public TableReader {
 public:
  explicit JsonlReader(TextWindow window) : lines_(std::move(window), kMaxRowBytes) {
    shape_.format = TableFormat::kJsonl;
    shape_.encoding = lines_.window().encoding();
    shape_.has_header = true;  // each row names its fields
    shape_.has_quotes = false;
    learn_shape();
  }

  const TableShape& shape() const override { return shape_; }
  std::span<const std::string_view> cells() const override { return cells_; }
  const BadRow& bad() const override { return bad_; }
  std::uint64_t line() const override { return lines_.line(); }
  std::span<const std::string> late_columns() const override { return late_; }
  const ByteSource& bytes() const override { return lines_.window().bytes(); }

  Result<Next> next() override {
    while (true) {
      TRY(const auto kind, lines_.next());
      if (kind == TextLines::Next::kEnd) return Next::kEnd;
      if (kind == TextLines::Next::kTooLong) return refuse("", "a row longer than 1 MB");
      if (lines_.text().find_first_not_of(" \t\r") != std::string_view::npos) break;
    }
    const auto fields = row_.parse(lines_.text());
    if (!fields.ok()) return refuse(fields.error().field, fields.error().message);
    return place(*fields);
  }

 private:
  // The union of the fields of the first rows, in order of appearance.
  void learn_shape() {
    std::string_view text = lines_.window().view();
    std::vector<TypeVote> votes;
    for (std::size_t rows = 0; rows < kSampleRows && !text.empty(); ++rows) {
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos && !lines_.window().is_last()) break;
      const auto fields = row_.parse(text.substr(0, end));
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
      if (fields.ok()) learn_row(*fields, votes);
    }
    for (const TypeVote& vote : votes) shape_.types.push_back(vote.type());
    cells_.resize(shape_.columns.size());
    seen_.resize(shape_.columns.size());
  }

  void learn_row(std::span<const JsonRow::Field> fields, std::vector<TypeVote>& votes) {
    for (const auto& field : fields) {
      auto found = columns_.find(field.name);
      if (found == columns_.end()) {
        if (shape_.columns.size() == kMaxColumns) continue;
        found = columns_.emplace(field.name, shape_.columns.size()).first;
        shape_.columns.emplace_back(field.name);
        votes.emplace_back();
      }
      votes[found->second].add(field.text);
    }
  }

  Next place(std::span<const JsonRow::Field> fields) {
    std::ranges::fill(cells_, std::string_view());
    ++row_number_;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const std::size_t column = column_of(fields[i].name, i);
      if (column == cells_.size()) {
        note_late(fields[i].name);
        continue;
      }
      if (seen_[column] == row_number_) {
        return refuse(shape_.columns[column], "the field stands twice");
      }
      seen_[column] = row_number_;
      cells_[column] = fields[i].text;
    }
    return Next::kRow;
  }

  // Most rows name their fields in the same order.
  std::size_t column_of(std::string_view name, std::size_t guess) const {
    if (guess < cells_.size() && shape_.columns[guess] == name) return guess;
    const auto found = columns_.find(name);
    return found == columns_.end() ? cells_.size() : found->second;
  }

  void note_late(std::string_view name) {
    if (late_.size() == kMaxLateColumns) return;
    if (std::ranges::find(late_, name) == late_.end()) late_.emplace_back(name.substr(0, 256));
  }

  Next refuse(std::string column, std::string reason) {
    bad_ = {lines_.line(), std::move(column), std::move(reason)};
    return Next::kBad;
  }

  TextLines lines_;
  JsonRow row_;
  TableShape shape_;
  std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> columns_;
  std::vector<std::string_view> cells_;
  std::vector<std::uint64_t> seen_;  // by column: the last row that had it
  std::uint64_t row_number_ = 0;
  std::vector<std::string> late_;
  BadRow bad_;
};

}  // namespace

Result<std::unique_ptr<TableReader>> open_jsonl(TextWindow window, const TableOptions&) {
  return std::unique_ptr<TableReader>(std::make_unique<JsonlReader>(std::move(window)));
}

}  // namespace attune
