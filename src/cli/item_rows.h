// ItemRows: the items of a CSV or JSONL file, checked one by one as the catalog checks them, as the
// JSON the items API takes. CSV: cells as format/item_cell.h has them; an empty one is no field.
// JSONL: one object of the items API per line. One thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "format/table.h"

namespace attune {

struct ItemRow {
  std::string id;
  std::string json;           // minified
  std::vector<float> vector;  // of a vector file: all that the row sets; json has the id alone
};

class ItemRows {
 public:
  // Reads the header of CSV. What `options` leave open is guessed, but CSV has a header. now: only
  // to check against.
  static Result<std::unique_ptr<ItemRows>> open(std::unique_ptr<ByteSource> bytes,
                                                TableOptions options, Time now);
  virtual ~ItemRows() = default;

  // The next item, good or bad; nullopt at the end. An error is of the file as a whole.
  struct Row {
    std::optional<ItemRow> good;
    BadRow bad;  // when not good
  };
  Result<std::optional<Row>> next();
  virtual const ByteSource& bytes() const = 0;
  virtual std::string note() const = 0;  // how the file is read, if not as UTF-8 with commas

 protected:
  using Next = TableReader::Next;
  explicit ItemRows(Time now) : now_(now) {}
  virtual Result<Next> read(std::string& json, BadRow& bad) = 0;
  virtual std::uint64_t line() const = 0;                       // of the last row
  virtual std::span<const float> vector() const { return {}; }  // of the last row

 private:
  Result<ItemRow> check(const std::string& json);
  const Time now_;
  std::unordered_map<std::string, std::uint64_t> lines_;  // by id
};

// By the file's name without .gz or .zst: .csv, .tsv; .jsonl, .ndjson, .json; nullopt when it says
// nothing.
std::optional<TableFormat> item_format_of(std::string_view file_name);

}  // namespace attune
