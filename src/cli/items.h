// Importing items: checks all rows first, then stores what differs. One thread.
#pragma once
#include <string>
#include <vector>

#include "cli/item_rows.h"

namespace attune {

struct ImportOptions {
  std::string file = {};                      // "-" = standard input
  std::string format = {};                    // "csv", "jsonl"; "" = by the file's name or its text
  std::string delimiter = {}, encoding = {};  // "" = guessed
  std::string ids = {};                       // file of the ids of the rows of a .npy file
  std::string workspace = {};                 // either this
  std::string server = {};                    // or this; neither for a dry run
  std::string key = {};                       // of the server
  bool is_skipping_bad = false;  // else one bad row stops the import before anything is stored
  bool is_dry_run = false;       // only check
  bool is_json = false;
};

struct ImportReport {
  std::uint64_t rows = 0, created = 0, changed = 0, unchanged = 0, bad = 0;
  std::vector<BadRow> first_bad;  // at most 20
  std::string note;               // how the file was read, if not as is usual
  double seconds = 0;
};

// Fills `report` also when it fails.
Status import_items(const ImportOptions& options, ImportReport& report);
std::string report_json(const ImportReport& report, bool is_dry_run);

}  // namespace attune
