// What of a workspace's data is too little for which use.
#pragma once
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/examine.h"

namespace attune {

// Counts that the uses of data depend on.
struct DataCounts {
  std::uint64_t items = 0, with_category = 0, with_tags = 0;
  std::uint64_t events = 0, decisions = 0, impressions = 0, outcomes = 0;
  std::uint64_t served = 0;    // shown items that count as seen without an impression event
  std::uint64_t named = 0;     // outcomes that name their decision
  std::uint64_t of_items = 0;  // events that name an item
  std::uint64_t unknown = 0;   // of those, an item that is not in the catalog
  std::uint64_t traits = 0;    // events with traits
  bool is_cut = false;         // only the first events were counted
};
DataCounts count_items(const Catalog& catalog);
// One line a use; kWarn says what is missing and how to send it.
std::vector<Finding> check_data(const DataCounts& counts);
// Reads the journal, at most its first 2,000,000 events and decisions.
std::vector<Finding> check_data(const std::string& workspace, const Catalog& catalog);

}  // namespace attune
