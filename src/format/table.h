// A table: CSV, TSV or JSONL as rows of cells. Delimiter, encoding, header and types are guessed
// from the first rows unless told. One thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/bytes.h"
#include "format/encoding.h"

namespace attune {

enum class TableFormat { kDelimited, kJsonl };
enum class ColumnType { kNumber, kText, kTime, kBool, kEmpty };

struct TableOptions {  // nullopt = guess
  std::optional<TableFormat> format = {};
  std::optional<char> delimiter = {};
  std::optional<Encoding> encoding = {};
  std::optional<bool> has_header = {};
  std::optional<bool> has_quotes = {};  // whether " at the beginning of a cell quotes it
};

// What a user calls them: one character, or tab; utf-8, utf-16le ... "" = guess.
Result<std::optional<char>> parse_delimiter(std::string_view text);
Result<std::optional<Encoding>> parse_encoding(std::string_view text);

struct TableShape {
  TableFormat format{};
  char delimiter = ',';  // '\0' = none: a line is one cell
  Encoding encoding{};
  bool has_header = false;
  bool has_quotes = true;
  std::vector<std::string> columns;  // by header, else "c1", "c2", ...; a name may stand twice
  std::vector<std::size_t> unnamed;  // columns that the header leaves without a name
  std::vector<ColumnType> types;     // of at least 95 % of the cells of the first rows
};

struct BadRow {
  std::uint64_t line = 0;  // from 1
  std::string column;      // its name; "" = the row as a whole
  std::string reason;
};

class TableReader {
 public:
  static constexpr std::size_t kMaxRowBytes = 1u << 20;
  static constexpr std::size_t kMaxColumns = 4096;
  static Result<std::unique_ptr<TableReader>> open(const std::string& path,
                                                   const TableOptions& options);
  static Result<std::unique_ptr<TableReader>> open(std::unique_ptr<ByteSource> bytes,
                                                   const TableOptions& options);
  virtual ~TableReader() = default;
  virtual const TableShape& shape() const = 0;
  enum class Next { kRow, kBad, kEnd };
  // kRow: cells() is the row, as many as columns. kBad: bad() says why; the next call goes on
  // after it. An error is of the file as a whole: nothing is left.
  virtual Result<Next> next() = 0;
  // UTF-8, unquoted, valid until the next call; a missing cell (empty, or absent in JSONL) is "".
  virtual std::span<const std::string_view> cells() const = 0;
  virtual const BadRow& bad() const = 0;
  virtual std::uint64_t line() const = 0;  // where the last row began
  // Names met after the first rows, which no cell shows (JSONL); the first kMaxLateColumns of them.
  static constexpr std::size_t kMaxLateColumns = 20;
  virtual std::span<const std::string> late_columns() const { return {}; }
  virtual const ByteSource& bytes() const = 0;
};

}  // namespace attune
