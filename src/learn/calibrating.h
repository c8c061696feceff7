// Calibrating: rows that a model does not learn from are held back, and a CalibrationMap is fitted
// on what it says of them. Never on the rows it is tested on. Deterministic for a seed.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "learn/block_source.h"
#include "learn/trained.h"
#include "stat/calibration.h"

namespace attune {

inline constexpr double kHeldBackToCalibrate = 0.15;  // of the rows to learn from

// Whether the row of this number is held back; about kHeldBackToCalibrate of all are.
bool is_held_back(std::uint64_t row, std::uint64_t seed);

// The rows of another source that are held back, or those that are not. It must outlive this.
class HeldBackRows final : public BlockSource {
 public:
  enum class Side { kHeldBack, kLearned };
  HeldBackRows(BlockSource& rows, std::uint64_t seed, Side side)
      : rows_(rows), seed_(seed), side_(side) {}
  Status begin(std::size_t pass) override;
  Result<bool> next(Examples& out) override;
  Result<std::size_t> next_some(std::span<Examples> out, Team* team) override;
  double share() const override { return rows_.share(); }

 private:
  void keep(const Examples& all, Examples& out);

  BlockSource& rows_;
  std::uint64_t seed_;
  Side side_;
  std::uint64_t at_ = 0;
  std::vector<Examples> all_;
};

// Reads a pass of the rows, of that number, and gives each head of the model its map; how many rows
// the first had. kInvalid for a model of numbers and for rows of one class.
Result<std::uint64_t> calibrate(Trained& trained, CalibrationKind kind, BlockSource& rows,
                                std::size_t pass);

}  // namespace attune
