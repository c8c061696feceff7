// CTR data v1: the law of an endless, frozen log of ad impressions in the manner of Criteo's, with
// the true chance of every click (README.md). Every value follows from the seed; a change of any
// value is a new version of the data. Immutable: safe to share.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "simulate/power_law.h"

namespace attune {

inline constexpr std::size_t kCtrNumbers = 13;
inline constexpr std::size_t kCtrCategories = 26;
inline constexpr std::uint64_t kCtrRowsPerDay = 100'000;
inline constexpr double kCtrBaseRate = 0.24;
inline constexpr std::int32_t kMissingNumber = std::numeric_limits<std::int32_t>::min();

struct CtrRow {
  double p = 0;  // the true chance of a click
  bool click = false;
  std::array<std::int32_t, kCtrNumbers> numbers{};         // kMissingNumber = not known
  std::array<std::uint32_t, kCtrCategories> categories{};  // hashes, 0 = not known
};

class CtrWorld {
 public:
  explicit CtrWorld(std::uint64_t seed);
  // Row k, at day k / kCtrRowsPerDay. O(1), about a microsecond.
  CtrRow row(std::uint64_t k) const;

 private:
  using Ids = std::array<std::uint64_t, kCtrCategories>;  // what is behind the hashes
  struct Scene;                                           // one impression, half made
  void draw_person(Scene& scene) const;
  void draw_ad(Scene& scene) const;
  void draw_place(Scene& scene) const;
  void add_effects(Scene& scene) const;
  void add_cells(Scene& scene) const;
  void add_numbers(Scene& scene, CtrRow& row) const;
  std::uint64_t derived(std::size_t field, std::uint64_t parent) const;
  std::uint64_t drawn(std::size_t field, std::uint64_t bits) const;
  double make(std::uint64_t k, CtrRow& row) const;  // the logit without the intercept
  void calibrate();

  std::uint64_t seed_;
  std::vector<PowerLaw> laws_;  // per category
  std::array<std::uint64_t, kCtrCategories> salts_{};
  double intercept_ = 0;
};

}  // namespace attune
