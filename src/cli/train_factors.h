// attune train --kind factors: items as vectors, learned of who took what in a workspace.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace attune {

struct FactorsOptions {
  std::string workspace, output;
  std::vector<std::pair<std::string, double>> settings;  // size, all, ridge, rounds
  std::uint64_t seed = 1;
  std::uint64_t memory_bytes = 0;  // 0 = no limit
  double cpu_share = 1;            // of one core
};

struct FactorsReport {
  std::string workspace, output;
  std::string model_id = {};
  std::uint64_t persons = 0, items = 0, pairs = 0;
  std::uint64_t lists = 0, lists_looked_at = 0;  // of near items; none = every item is looked at
  double recall = 1;                             // of the lists (near_lists.h)
  double seconds = 0;
};
std::string factors_json(const FactorsReport& report);

// Learns and saves. kInvalid for a setting that is none, or when nobody took anything.
Result<FactorsReport> train_factors(const FactorsOptions& options);

}  // namespace attune
