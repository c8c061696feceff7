// World v1: a frozen simulated audience with known truth (README.md). Every value follows from the
// seed; a change of any value is a new world version.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"

namespace attune {

inline constexpr std::size_t kWorldPersons = 2000;
inline constexpr std::size_t kWorldItems = 1000;
inline constexpr std::size_t kWorldTastes = 16;
inline constexpr std::size_t kWorldRowsPerDay = 5000;  // 200,000 impressions = 40 days
inline constexpr double kWorldBaseRate = 0.04;
inline constexpr double kWorldBotRate = 0.5;
inline constexpr double kWorldHalfLifeDays = 20;
inline constexpr double kWorldSlope = 1.22;  // log-odds per standard deviation of affinity

using Taste = std::array<double, kWorldTastes>;

struct SimPerson {
  std::string id;                                           // "p0001"
  std::vector<std::pair<std::string, std::string>> traits;  // age, gender, place, interest
  bool is_bot = false;
};

struct SimItem {
  std::string id;  // "i0001"
  std::string category;
  std::vector<std::string> tags;
  double price = 0;
};

struct WorldRow {
  std::size_t person = 0;
  std::size_t item = 0;
  double day = 0;
  double p = 0;
  bool click = false;
};

// Immutable once built: all const members may be called from any thread. Days count from 0; tastes
// are constant within a day.
class World {
 public:
  explicit World(std::uint64_t seed);

  const std::vector<SimPerson>& persons() const { return persons_; }
  const std::vector<SimItem>& items() const { return items_; }

  double p_click(std::size_t person, std::size_t item, double day) const;
  // The n items the person would most likely click, best first; `exclude` by item index, empty =
  // none. Fewer when fewer are left.
  std::vector<std::size_t> best(std::size_t person, double day, const std::vector<bool>& exclude,
                                std::size_t n) const;
  // Mean p_click of best(); 0 when none is left.
  double oracle_rate(std::size_t person, double day, const std::vector<bool>& exclude,
                     std::size_t n) const;
  // The n items of the highest mean p_click over the persons who are no bots, best first.
  std::vector<std::size_t> popular(double day, std::size_t n) const;
  // Mean p_click of popular() over the persons who are no bots.
  double popularity_rate(double day, std::size_t n) const;

  // Impression k of the endless stream: a uniformly random pair at day k / kWorldRowsPerDay.
  WorldRow row(std::uint64_t k) const;
  std::vector<WorldRow> rows(std::size_t n) const;  // the first n

  // The truth behind, for tests and the oracle: taste = explained (by traits, constant) +
  // unobserved (drifts).
  const Taste& explained(std::size_t person) const { return explained_[person]; }
  Taste unobserved(std::size_t person, double day) const;
  Taste taste(std::size_t person, double day) const;
  const Taste& mixture(std::size_t item) const { return mixture_[item]; }  // of length 1
  double quality(std::size_t item) const { return quality_[item]; }        // log-odds

 private:
  void make_persons();
  void make_items();
  void make_drift();
  void calibrate();
  Rng stream(std::uint64_t purpose, std::uint64_t index) const;
  void step(Taste& state, std::size_t person, std::uint64_t day) const;
  double affinity(const Taste& taste, std::size_t item) const;
  std::vector<double> mean_rates(double day) const;  // per item, over no bots

  std::uint64_t seed_;
  double intercept_ = 0;
  std::vector<SimPerson> persons_;
  std::vector<SimItem> items_;
  std::vector<Taste> explained_;           // per person
  std::vector<std::vector<Taste>> drift_;  // [day][person], the first days; later ones on demand
  std::vector<Taste> mixture_;             // per item, of length 1
  std::vector<double> quality_;            // per item
};

// "p0001,i0001,day,p,click\n", numbers with 6 significant digits.
std::string world_row_csv(const World& world, const WorldRow& row);
// SHA-256 in hex of the CSV of the first 10,000 rows.
std::string world_digest(std::uint64_t seed);

}  // namespace attune
