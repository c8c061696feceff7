// Taken: which identity took which items, of all that a workspace's journal on disk tells. Reads
// files alone: the workspace may be stopped or in use, and nothing changes.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "event/id.h"

namespace attune {

struct Taken {
  std::vector<ItemKey> items;                    // by number
  std::vector<std::vector<std::uint32_t>> rows;  // of each identity, the numbers of its last items
  std::size_t pairs = 0;
};

// Whoever refuses personalization as of the end is left out, as are the erased and imports undone.
// Of an identity at most its last 1000 engagements count. kNotFound without a journal there.
// O(journal).
Result<Taken> read_taken(const std::string& workspace);

}  // namespace attune
