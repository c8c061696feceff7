#include "format/guess_dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "format/guess_type.h"

namespace attune {
namespace {

constexpr RowLimits kLimits{TableReader::kMaxRowBytes, TableReader::kMaxColumns};
constexpr std::size_t kRowsToTry = 200;
constexpr std::size_t kLongestName = 100;
constexpr char kDelimiters[] = {'\t', ';', '|', ','};

using Cells = std::vector<std::string_view>;

struct Sample {
  std::vector<Cells> rows;  // the good ones
  std::size_t bad = 0;
  bool is_first_bad = false;
};

Sample rows_of(std::string_view text, bool is_last, const Dialect& dialect, std::size_t most) {
  Sample sample;
  RowSplit row;
  while (!text.empty() && sample.rows.size() + sample.bad < most) {
    split_row(text, is_last, dialect, kLimits, row);
    if (row.kind == RowSplit::Kind::kMore || row.length == 0) break;
    if (row.kind == RowSplit::Kind::kRow) sample.rows.push_back(row.cells);
    if (row.kind == RowSplit::Kind::kBad) {
      sample.is_first_bad |= sample.rows.empty();
      ++sample.bad;
    }
    text.remove_prefix(row.length);
  }
  return sample;
}

// The number of cells that most rows have, and the share of rows that have it.
struct Width {
  std::size_t cells = 0;
  double share = 0;
};

Width width_of(const Sample& sample) {
  std::map<std::size_t, std::size_t> rows_by_width;
  for (const Cells& row : sample.rows) ++rows_by_width[row.size()];
  Width most;
  std::size_t rows = 0;
  for (const auto& [cells, count] : rows_by_width) {
    if (count < rows) continue;
    rows = count;
    most.cells = cells;
  }
  const std::size_t all = sample.rows.size() + sample.bad;
  most.share = all == 0 ? 0 : static_cast<double>(rows) / static_cast<double>(all);
  return most;
}

char guess_delimiter(std::string_view text, bool is_last, bool has_quotes) {
  Width best;
  char chosen = kNoDelimiter;
  for (const char delimiter : kDelimiters) {
    const Sample sample = rows_of(text, is_last, {delimiter, has_quotes}, kRowsToTry);
    if (sample.rows.empty() || sample.rows[0].size() < 2) continue;
    const Width width = width_of(sample);
    if (width.cells < 2 || width.share < 0.5) continue;
    if (width.share < best.share * 1.1) continue;  // only if clearly better than those before
    best = width;
    chosen = delimiter;
  }
  return chosen;
}

// Many TSV files and lists of lines hold quotes as they are. They are read as quotes only if some
// cell begins with one and no row is worse for it.
bool guess_quotes(std::string_view text, bool is_last, char delimiter) {
  if (delimiter != '\t' && delimiter != kNoDelimiter) return true;
  const Sample plain = rows_of(text, is_last, {delimiter, false}, kSampleRows);
  const bool is_there = std::ranges::any_of(plain.rows, [](const Cells& row) {
    return std::ranges::any_of(row, [](std::string_view cell) { return cell.starts_with('"'); });
  });
  return is_there && width_of(rows_of(text, is_last, {delimiter, true}, kSampleRows)).share >=
                         width_of(plain).share;
}

bool has_digit(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// How much the first cell of a column speaks for a header: > 0 for, < 0 against.
int header_vote(const std::vector<Cells>& rows, std::size_t column) {
  const std::string_view first = rows[0][column];
  TypeVote types;
  std::size_t same = 0, digits = 0, count = 0;
  std::set<std::size_t> lengths;
  for (std::size_t r = 1; r < rows.size(); ++r) {
    if (column >= rows[r].size() || rows[r][column].empty()) continue;
    const std::string_view cell = rows[r][column];
    types.add(cell);
    ++count;
    same += cell == first;
    digits += has_digit(cell);
    lengths.insert(cell.size());
  }
  if (count == 0) return 0;
  if (types.type() != ColumnType::kText) return 3;
  if (same > 0) return -2;
  if (lengths.size() == 1 && count > 2) return lengths.contains(first.size()) ? -1 : 1;
  if (digits * 10 >= count * 9) return has_digit(first) ? -1 : 1;
  return 0;
}

bool guess_header(const Sample& sample) {
  if (sample.rows.empty() || sample.is_first_bad) return false;
  const Cells& first = sample.rows[0];
  std::set<std::string_view> names;
  int vote = 0;
  for (std::size_t c = 0; c < first.size(); ++c) {
    const ColumnType type = type_of(first[c]);
    const bool is_unnamed = c == 0 && type == ColumnType::kEmpty;  // an index column
    if (type != ColumnType::kText && !is_unnamed) return false;
    if (first[c].size() > kLongestName || !names.insert(first[c]).second) return false;
    vote += header_vote(sample.rows, c);
  }
  return vote >= (first.size() == 1 ? 1 : 0);
}

std::string name_of(const Cells& header, std::size_t column) {
  if (column >= header.size() || header[column].empty()) return fmt::format("c{}", column + 1);
  std::string name;  // a quote within quotes is written twice
  for (std::size_t i = 0; i < header[column].size(); ++i) {
    name += header[column][i];
    if (header[column].substr(i, 2) == "\"\"") ++i;
  }
  return name;
}

void name_columns(const Sample& sample, TableShape& shape) {
  const Cells none;
  const Cells& header = shape.has_header && !sample.rows.empty() ? sample.rows[0] : none;
  const std::size_t count = header.empty() ? width_of(sample).cells : header.size();
  for (std::size_t c = 0; c < count; ++c) {
    shape.columns.push_back(name_of(header, c));
    if (!header.empty() && header[c].empty()) shape.unnamed.push_back(c);
    TypeVote types;
    for (std::size_t r = header.empty() ? 0 : 1; r < sample.rows.size(); ++r) {
      if (sample.rows[r].size() == count) types.add(sample.rows[r][c]);
    }
    shape.types.push_back(types.type());
  }
}

}  // namespace

Result<TableFormat> guess_format(std::string_view sample) {
  const std::size_t begin = sample.find_first_not_of(" \t\r\n");
  if (begin != std::string_view::npos && sample[begin] == '{') return TableFormat::kJsonl;
  if (begin != std::string_view::npos && sample[begin] == '[') {
    const std::size_t next = sample.find_first_not_of(" \t\r\n", begin + 1);
    if (next != std::string_view::npos && sample[next] == '{') {
      return Error{Code::kInvalid, "the file is a JSON array, not JSON lines", "",
                   "write one object a line: jq -c '.[]' FILE"};
    }
  }
  if (sample.find('\n') == std::string_view::npos) {
    const std::size_t cr = sample.find('\r');
    if (cr != std::string_view::npos && cr + 1 < sample.size()) {
      return Error{Code::kInvalid, "its lines end in carriage returns alone", "",
                   "convert them: tr '\\r' '\\n' <FILE"};
    }
  }
  return TableFormat::kDelimited;
}

TableShape guess_table(std::string_view sample, bool is_last, const TableOptions& told) {
  TableShape shape;
  shape.format = TableFormat::kDelimited;
  const bool has_quotes = told.has_quotes.value_or(true);
  shape.delimiter = told.delimiter ? *told.delimiter : guess_delimiter(sample, is_last, has_quotes);
  shape.has_quotes =
      told.has_quotes ? *told.has_quotes : guess_quotes(sample, is_last, shape.delimiter);
  const Sample rows = rows_of(sample, is_last, {shape.delimiter, shape.has_quotes}, kSampleRows);
  shape.has_header = told.has_header ? *told.has_header : guess_header(rows);
  name_columns(rows, shape);
  return shape;
}

}  // namespace attune
