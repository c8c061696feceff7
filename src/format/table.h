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

namespace attune {

enum class TableFormat { kDelimited, kJsonl };
enum class Encoding { kUtf8, kUtf16Le, kUtf16Be, kGbk, kLatin1 };
enum class ColumnType { kNumber, kText, kTime, kBool, kEmpty };

struct TableOptions {  // nullopt = guess
  std::optional<TableFormat> format;
  std::optional<char> delimiter;
  std::optional<Encoding> encoding;
  std::optional<bool> has_header;
};

struct TableShape {
  TableFormat format{};
  char delimiter = ',';
  Encoding encoding{};
  bool has_header = false;
  std::vector<std::string> columns;  // by header, else "c1", "c2", ...
  std::vector<ColumnType> types;     // of the first rows
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
  virtual const ByteSource& bytes() const = 0;
};

}  // namespace attune
