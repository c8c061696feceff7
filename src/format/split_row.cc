#include "format/split_row.h"

#include <algorithm>
#include <cstring>

namespace attune {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

// memchr is faster than string_view::find on the short cells of most files.
std::size_t find(std::string_view text, char c, std::size_t from) {
  const void* at = std::memchr(text.data() + from, c, text.size() - from);
  return at == nullptr ? kNone
                       : static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

void set_bad(RowSplit& row, std::string_view text, std::size_t at, std::string_view reason) {
  const std::size_t end = find(text, '\n', at);
  row.kind = RowSplit::Kind::kBad;
  row.reason = reason;
  row.fault_at = at;
  row.fault_column = row.cells.size();
  row.length = end == kNone ? 0 : end + 1;
}

void set_too_long(RowSplit& row, std::string_view text) {
  set_bad(row, text, 0, "a row longer than 1 MB");
  row.fault_column = RowSplit::kNoColumn;
}

class QuotedRow {
 public:
  QuotedRow(std::string_view text, bool is_last, const Dialect& dialect, const RowLimits& most)
      : text_(text), is_last_(is_last), delimiter_(dialect.delimiter), most_(most) {}

  void split(RowSplit& row) {
    bool is_ended = false;
    while (!is_ended) {
      if (row.cells.size() == most_.cells) return refuse(row, at_, "too many columns");
      const bool is_quoted = at_ < text_.size() && text_[at_] == '"';
      if (!(is_quoted ? quoted(row) : bare(row))) return;
      if (!end_of_cell(row, is_ended)) return;
    }
    row.length = at_;
    row.kind = RowSplit::Kind::kRow;
  }

 private:
  // at_ = after the closing quote. False when there is none.
  bool quoted(RowSplit& row) {
    begin_ = at_;
    bool is_escaped = false;
    std::size_t close = at_ + 1;
    while (true) {
      close = find(text_, '"', close);
      if (close == kNone) return open_ended(row);
      if (close + 1 == text_.size() || text_[close + 1] != '"') break;
      is_escaped = true;
      close += 2;
    }
    const std::string_view cell = text_.substr(begin_ + 1, close - begin_ - 1);
    if (opened_ == kNone && find(cell, '\n', 0) != kNone) {
      opened_ = begin_;
      opened_column_ = row.cells.size();
    }
    if (is_escaped || find(cell, '\r', 0) != kNone) row.escaped.push_back(row.cells.size());
    row.cells.push_back(cell);
    at_ = close + 1;
    return true;
  }

  bool may_grow() const { return !is_last_ && text_.size() <= most_.bytes; }

  // A quote that is not closed in the text at hand.
  bool open_ended(RowSplit& row) {
    row.kind = RowSplit::Kind::kMore;
    if (may_grow()) return false;
    refuse(row, begin_,
           text_.size() <= most_.bytes ? "a quote is opened and never closed"
                                       : "a quote is opened and not closed within 1 MB");
    return false;
  }

  bool bare(RowSplit& row) {
    begin_ = at_;
    while (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '\n') {
      if (text_[at_] == '"') {
        refuse(row, at_, "a quote inside a field that is not quoted");
        return false;
      }
      ++at_;
    }
    std::size_t end = at_;
    const bool is_end = end == text_.size() || text_[end] == '\n';
    if (is_end && end > begin_ && text_[end - 1] == '\r') --end;
    const std::string_view cell = text_.substr(begin_, end - begin_);
    if (find(cell, '\r', 0) != kNone) {
      refuse(row, begin_, "a carriage return without a line feed");
      return false;
    }
    row.cells.push_back(cell);
    return true;
  }

  // Where a cell goes over line ends, its quote may be the fault: then the lines after it count.
  void refuse(RowSplit& row, std::size_t at, std::string_view reason) {
    set_bad(row, text_, std::min(at, opened_), reason);
    if (at > opened_) row.fault_column = opened_column_;
  }

  // Takes what ends the cell. False when it is something else, or not in the text.
  bool end_of_cell(RowSplit& row, bool& is_ended) {
    const std::size_t cr = at_ < text_.size() && text_[at_] == '\r' ? 1 : 0;
    if (at_ + cr == text_.size()) {
      at_ = text_.size();
      is_ended = is_last_;
      row.kind = RowSplit::Kind::kMore;
      if (!is_last_ && !may_grow()) set_too_long(row, text_);
      return is_last_;
    }
    if (text_[at_] == delimiter_) {
      ++at_;
      return true;
    }
    if (text_[at_ + cr] == '\n') {
      at_ += cr + 1;
      is_ended = true;
      return true;
    }
    row.cells.pop_back();
    refuse(row, begin_, "text after a closing quote; a quote within quotes is written twice");
    return false;
  }

  const std::string_view text_;
  const bool is_last_;
  const char delimiter_;
  const RowLimits most_;
  std::size_t at_ = 0, begin_ = 0;
  std::size_t opened_ = kNone, opened_column_ = 0;  // the first quote around a line end
};

// No quotes: line ends with the text's line end taken off.
void split_plain(std::string_view line, char delimiter, std::size_t most, RowSplit& row) {
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = find(line, delimiter, begin);
    if (row.cells.size() == most) return set_bad(row, line, begin, "too many columns");
    if (end == kNone) break;
    row.cells.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  row.cells.push_back(line.substr(begin));
  row.kind = RowSplit::Kind::kRow;
}

}  // namespace

void split_row(std::string_view text, bool is_last, const Dialect& dialect, const RowLimits& most,
               RowSplit& row) {
  row.cells.clear();
  row.escaped.clear();
  const std::size_t end = find(text, '\n', 0);
  std::string_view line = text.substr(0, end);
  if (line.size() > most.bytes) return set_too_long(row, text);
  if (end == kNone && !is_last) {
    row.kind = RowSplit::Kind::kMore;
    return;
  }
  const std::size_t length = end == kNone ? text.size() : end + 1;
  if (line.ends_with('\r')) line.remove_suffix(1);
  row.length = length;
  row.is_over_lines = false;
  row.kind = RowSplit::Kind::kBlank;
  if (line.empty()) return;
  if (dialect.has_quotes && find(line, '"', 0) != kNone) {
    row.is_over_lines = true;
    QuotedRow(text, is_last, dialect, most).split(row);
    if (row.kind == RowSplit::Kind::kRow && row.length > most.bytes) {
      set_too_long(row, text);
    }
    return;
  }
  if (const std::size_t at = find(line, '\r', 0); at != kNone) {
    set_bad(row, text, at, "a carriage return without a line feed");
    row.fault_column = static_cast<std::size_t>(std::count(
        line.begin(), line.begin() + static_cast<std::ptrdiff_t>(at), dialect.delimiter));
    return;
  }
  if (dialect.delimiter == kNoDelimiter) {
    row.cells.push_back(line);
    row.kind = RowSplit::Kind::kRow;
    return;
  }
  split_plain(line, dialect.delimiter, most.cells, row);
  row.length = length;
}

void unquote(char* text, std::string_view same_text, RowSplit& row) {
  for (const std::size_t index : row.escaped) {
    std::string_view& cell = row.cells[index];
    char* const begin = text + (cell.data() - same_text.data());
    char* to = begin;
    for (std::size_t i = 0; i < cell.size(); ++i) {
      if (cell[i] == '\r' && i + 1 < cell.size() && cell[i + 1] == '\n') continue;
      *to++ = cell[i];
      if (cell[i] == '"') ++i;
    }
    cell = {begin, static_cast<std::size_t>(to - begin)};
  }
}

}  // namespace attune
