// Tally: what each share of the simulated audience was shown and clicked, over the run and in its
// last quarter, and how much of the gap to the oracle the learned share closes. One thread.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace attune {

enum class Share : std::uint8_t { kLearned, kPopularity, kRandom };
inline constexpr std::size_t kShares = 3;
std::string_view share_name(Share share);  // "learned", also the placement's name
// Person p of the world: p % 10 = 0 sees random items, 1 popular ones, all others learned ones.
Share share_of(std::size_t person);

struct Shown {
  std::uint64_t shown = 0, clicks = 0;
  double oracle = 0;  // sum of the oracle's click chances in the same places
  double rate() const { return shown != 0 ? double(clicks) / double(shown) : 0; }
  double oracle_rate() const { return shown != 0 ? oracle / double(shown) : 0; }
  void add(const Shown& other);
};

struct Estimate {
  double value = 0, low = 0, high = 0;  // low and high: 95 %
};

class Tally {
 public:
  static constexpr std::size_t kParts = 24;  // of the run, for curves
  // persons: of the world; wanted: impressions of the whole run.
  Tally(std::size_t persons, std::uint64_t wanted);

  // `seen` impressions of one visit when `played` had been played in the run so far.
  void add(std::size_t person, std::uint64_t played, const Shown& seen);
  const Shown& all(Share share) const { return all_[index(share)]; }
  const Shown& late(Share share) const { return late_[index(share)]; }  // the last quarter
  const Shown& part(Share share, std::size_t part) const { return parts_[part][index(share)]; }
  std::size_t part_of(std::uint64_t played) const;

  // (learned - popularity) / (oracle - popularity) over the last quarter, click rates; its interval
  // from a bootstrap over persons within their shares.
  Estimate gap_closed(std::uint64_t seed) const;

 private:
  static std::size_t index(Share share) { return static_cast<std::size_t>(share); }

  std::uint64_t wanted_;
  std::array<Shown, kShares> all_{}, late_{};
  std::array<std::array<Shown, kShares>, kParts> parts_{};
  std::vector<Shown> late_of_;  // [person]
};

}  // namespace attune
