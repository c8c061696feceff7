// The formats an import reads, each with the files it is made of. Pure, but for reading folders.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/column_mapping.h"
#include "format/event_reader.h"

namespace attune {

struct EventFileOptions {
  ColumnMapping mapping = {};  // csv, jsonl; the others take its verb only
  TableOptions table = {};     // csv, jsonl
  std::string digest;          // of the files, hexadecimal: names anonymous persons and decisions
  Time now{};                  // later times than a day after it are bad
  Time began{};                // of the import: what has no time ends before it
};

struct EventFormat {
  std::string_view name, summary;
  bool is_mapped = false;  // takes a mapping
  // The files of the format at `path`, a file or a folder, in the order they are read.
  Result<std::vector<std::string>> (*files)(const std::string& path) = nullptr;
  Result<std::unique_ptr<EventReader>> (*open)(const std::vector<std::string>& files,
                                               const EventFileOptions& options) = nullptr;
};
std::span<const EventFormat> event_formats();
// kInvalid names the nearest.
Result<const EventFormat*> event_format(std::string_view name);

// Of the unpacked bytes of all files, in their order: 128 bits, hexadecimal. It tells files apart,
// not forgeries.
Result<std::string> digest_of(const std::vector<std::string>& files);

// CSV and JSONL whose rows are items: a column named like an id (id, item_id, sku ...) names them;
// category, tags (parted by |), price, created and is_hidden are fields of the items API, all
// others attributes.
Result<std::unique_ptr<EventReader>> open_table_items(const std::vector<std::string>& files,
                                                      const EventFileOptions& options);
// One per file of a format.
Result<std::unique_ptr<EventReader>> open_table_events(const std::vector<std::string>& files,
                                                       const EventFileOptions& options);
Result<std::unique_ptr<EventReader>> open_gowalla(const std::vector<std::string>& files,
                                                  const EventFileOptions& options);
Result<std::unique_ptr<EventReader>> open_s3rec(const std::vector<std::string>& files,
                                                const EventFileOptions& options);
Result<std::unique_ptr<EventReader>> open_bank(const std::vector<std::string>& files,
                                               const EventFileOptions& options);
Result<std::unique_ptr<EventReader>> open_obd(const std::vector<std::string>& files,
                                              const EventFileOptions& options);
Result<std::unique_ptr<EventReader>> open_movielens(const std::vector<std::string>& files,
                                                    const EventFileOptions& options);
Result<std::unique_ptr<EventReader>> open_labelled_rows(const std::vector<std::string>& files,
                                                        const EventFileOptions& options);

}  // namespace attune
