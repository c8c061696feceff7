// ItemRows: the items of a CSV or JSONL file, checked one by one as the catalog checks them, as the
// JSON the items API takes. CSV: the columns id, category, tags (parted by |), price, created and
// is_hidden are the item's fields; all others (title, ...) are its attributes, as text. JSONL: one
// object of the items API per line. One thread.
#pragma once
#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/csv.h"
#include "base/result.h"
#include "base/time.h"
#include "format/table.h"

namespace attune {

enum class RowFormat { kCsv, kJsonl };

struct ItemRow {
  std::uint64_t line = 0;
  std::string id;
  std::string json;  // minified
};

class ItemRows {
 public:
  // Reads the header of CSV. in: must outlive this. now: only to check against.
  static Result<std::unique_ptr<ItemRows>> open(std::istream& in, RowFormat format, Time now);
  virtual ~ItemRows() = default;

  // The next item, good or bad; nullopt at the end.
  struct Row {
    std::optional<ItemRow> good;
    BadRow bad;  // when not good
  };
  std::optional<Row> next();
  virtual std::uint64_t bytes() const = 0;  // read so far

 protected:
  explicit ItemRows(Time now) : now_(now) {}
  // False at the end. On an error line() is that of the row, and the error's field its column.
  virtual Result<bool> read(std::string& json) = 0;
  virtual std::uint64_t line() const = 0;

 private:
  Result<ItemRow> check(const std::string& json);
  const Time now_;
  std::unordered_map<std::string, std::uint64_t> lines_;  // by id
};

// By the file's name: .csv, .jsonl, .ndjson, .json; nullopt when it says nothing.
std::optional<RowFormat> format_of(std::string_view file_name);

}  // namespace attune
