// Splits a row of delimited text (RFC 4180) into cells without copying. No state: safe to share.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace attune {

inline constexpr char kNoDelimiter = '\0';  // a line is one cell

struct Dialect {
  char delimiter = ',';
  bool has_quotes = true;  // " at the beginning of a cell quotes it
};

// The cells of one row; filled again and again, so that nothing is allocated in the long run.
struct RowSplit {
  enum class Kind { kRow, kBlank, kMore, kBad };
  Kind kind = Kind::kBlank;
  std::size_t length = 0;               // of the row with its line end: where the next begins
  std::vector<std::string_view> cells;  // in the text, without their quotes
  std::vector<std::size_t> escaped;     // the cells that unquote() must go over
  bool is_over_lines = false;           // line ends within quotes, maybe
  std::string_view reason;              // kBad
  std::size_t fault_at = 0;             // where in the text, kBad
  std::size_t fault_column = 0;         // kNoColumn = of the row as a whole
  static constexpr std::size_t kNoColumn = ~std::size_t{0};
};

// The first row of `text`. kMore: it does not end here, and text follows (!is_last). kBad: length
// leads to the line after the fault began, so that a quote never closed costs one line; 0 = the
// line does not end in `text`. Rows are at most most_bytes long, and of most_cells.
struct RowLimits {
  std::size_t bytes = 0, cells = 0;
};
void split_row(std::string_view text, bool is_last, const Dialect& dialect, const RowLimits& most,
               RowSplit& row);

// Turns the doubled quotes of the escaped cells into single ones and CRLF into LF, in place.
// text: what split_row was given.
void unquote(char* text, std::string_view same_text, RowSplit& row);

}  // namespace attune
