// Lists of ids: a line is a person's number and the numbers of the items they took, parted by
// spaces, as the NGCF and LightGCN data sets have them (gowalla-ngcf). One thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/bytes.h"

namespace attune {

struct IdList {
  std::uint64_t person = 0;
  std::vector<std::uint64_t> items;
};

inline constexpr std::size_t kMostListedIds = 200'000'000;  // in one file

// Every line with at least a person; empty lines are passed over. kInvalid with the line when
// something is no number below 2^64, or there are too many.
Result<std::vector<IdList>> read_id_lists(ByteSource& bytes);
// The file, else the same with ".gz" or ".zst" behind its name.
Result<std::vector<IdList>> read_id_lists(const std::string& path);

}  // namespace attune
