// DialPreview: what the dials of a placement would do, before they are set: its last requests made
// again at each setting.
#pragma once
#include <string>
#include <vector>

#include "decide/slate_tally.h"
#include "engine/engine.h"

namespace attune {

struct DialSetting {
  double diversity = 0, freshness = 0;
  SlateFigures figures;
};

struct DialPreview {
  Placement placement;
  std::size_t persons = 0;
  std::vector<DialSetting> diversity;  // 0, 1/4 ... 1, freshness as it is set
  std::vector<DialSetting> freshness;  // 0, 1/4 ... 1, diversity as it is set
};

struct DialQuestion {
  std::string placement = "default";
  std::size_t persons = 200;  // in [1, kMostPersons]
  // Instead of the placement's own.
  std::optional<double> freshness_half_life_s = {};
  static constexpr std::size_t kMostPersons = 5000;
};
Result<DialPreview> preview_dials(Engine& engine, const DialQuestion& question);
std::string dial_preview_json(const DialPreview& preview);

}  // namespace attune
