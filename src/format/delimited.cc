#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "format/guess_dialect.h"
#include "format/split_row.h"
#include "format/table_readers.h"

namespace attune {
namespace {

constexpr RowLimits kLimits{TableReader::kMaxRowBytes, TableReader::kMaxColumns};

std::uint64_t lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }
bool has_zero(std::string_view text) { return std::memchr(text.data(), 0, text.size()) != nullptr; }

class DelimitedReader final : public TableReader {
 public:
  DelimitedReader(TextWindow window, TableShape shape)
      : window_(std::move(window)),
        shape_(std::move(shape)),
        dialect_{shape_.delimiter, shape_.has_quotes} {}

  // Takes the header, whose names are known already.
  Status skip_header() {
    TRY(const bool is_there, split());
    if (is_there && row_.kind == RowSplit::Kind::kBad) {
      return Error{Code::kInvalid, fmt::format("{}: line {}: the header cannot be read: {}",
                                               window_.bytes().name(), line_, row_.reason)};
    }
    if (is_there && (!is_utf8(text_) || has_zero(text_))) {
      return Error{Code::kInvalid,
                   fmt::format("{}: line {}: the header is not {}", window_.bytes().name(), line_,
                               encoding_name(shape_.encoding)),
                   "encoding", "say how it is written: --encoding latin-1"};
    }
    return ok_status();
  }

  const TableShape& shape() const override { return shape_; }
  std::span<const std::string_view> cells() const override { return row_.cells; }
  const BadRow& bad() const override { return bad_; }
  std::uint64_t line() const override { return line_; }
  const ByteSource& bytes() const override { return window_.bytes(); }

  Result<Next> next() override {
    TRY(const bool is_there, split());
    if (!is_there) return Next::kEnd;
    if (row_.kind == RowSplit::Kind::kBad) return Next::kBad;
    if (!is_utf8(text_) || has_zero(text_)) return refuse_text();
    if (row_.cells.size() != shape_.columns.size()) return refuse_width();
    if (!row_.escaped.empty()) unquote(data_, text_, row_);
    return Next::kRow;
  }

 private:
  // The next row of any kind but blank into row_; false at the end.
  Result<bool> split() {
    window_.drop(taken_);
    line_ = next_line_;
    taken_ = 0;
    while (true) {
      const std::string_view text = window_.view();
      if (!text.empty()) split_row(text, window_.is_last(), dialect_, kLimits, row_);
      if (text.empty() || row_.kind == RowSplit::Kind::kMore) {
        if (window_.is_last()) return false;
        TRY_OK(window_.fill());
        continue;
      }
      if (row_.kind == RowSplit::Kind::kBad) return take_bad(text);
      if (row_.kind == RowSplit::Kind::kRow) break;
      window_.drop(row_.length);
      line_ = ++next_line_;
    }
    taken_ = row_.length;
    text_ = window_.view().substr(0, taken_);
    data_ = window_.data();
    next_line_ = line_ + (row_.is_over_lines ? lines_in(text_) : 1);
    return true;
  }

  Result<bool> take_bad(std::string_view text) {
    line_ += lines_in(text.substr(0, row_.fault_at));
    bad_ = {line_, name_of(row_.fault_column), std::string(row_.reason)};
    next_line_ = line_ + 1;
    if (row_.length > 0) {
      taken_ = row_.length;
      return true;
    }
    TRY_OK(window_.drop_line());
    return true;
  }

  std::string name_of(std::size_t column) const {
    return column < shape_.columns.size() ? shape_.columns[column] : std::string();
  }

  Next refuse(std::string column, std::string reason) {
    bad_ = {line_, std::move(column), std::move(reason)};
    return Next::kBad;
  }

  Next refuse_text() {
    for (std::size_t c = 0; c < row_.cells.size(); ++c) {
      if (has_zero(row_.cells[c])) return refuse(name_of(c), "a zero byte");
      if (is_utf8(row_.cells[c])) continue;
      return refuse(name_of(c), fmt::format("not {}", encoding_name(shape_.encoding)));
    }
    return refuse("", "a zero byte");
  }

  Next refuse_width() {
    return refuse("", fmt::format("{} fields, but {} {}", row_.cells.size(),
                                  shape_.has_header ? "the header names" : "the first rows have",
                                  shape_.columns.size()));
  }

  TextWindow window_;
  TableShape shape_;
  const Dialect dialect_;
  RowSplit row_;
  std::string_view text_;  // of the row
  char* data_ = nullptr;   // the same, to unquote
  std::size_t taken_ = 0;  // to drop before the next row
  BadRow bad_;
  std::uint64_t line_ = 0, next_line_ = 1;
};

}  // namespace

Result<std::unique_ptr<TableReader>> open_delimited(TextWindow window,
                                                    const TableOptions& options) {
  TableShape shape = guess_table(window.view(), window.is_last(), options);
  shape.encoding = window.encoding();
  auto reader = std::make_unique<DelimitedReader>(std::move(window), std::move(shape));
  if (reader->shape().has_header) TRY_OK(reader->skip_header());
  return std::unique_ptr<TableReader>(std::move(reader));
}

}  // namespace attune
