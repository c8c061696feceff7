#include "simulate/world.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"

namespace attune {
namespace {

constexpr double kQualitySd = 0.15;  // of the log-odds
constexpr double kSecondTaste = 0.45;
constexpr double kItemNoise = 0.1;
constexpr double kInterestOwn = 3.0;  // how much an interest lifts the taste of its name
constexpr std::size_t kBots = kWorldPersons / 20;
constexpr std::size_t kStoredDays = 61;

enum Purpose : std::uint64_t { kPersons = 1, kBotDraw, kTraits, kItems, kDrift, kPairs, kRows };

constexpr std::array<std::string_view, kWorldTastes> kTasteNames = {
    "sport",  "music",  "travel", "food",   "fashion", "science", "politics", "games",
    "movies", "health", "cars",   "garden", "finance", "art",     "family",   "technology"};
constexpr std::array<std::string_view, 3> kTagForms = {"fans", "news", "classics"};

struct Trait {
  std::string_view name;
  std::vector<std::string_view> values;
  double share;  // of the explained variance
};

std::vector<Trait> world_traits() {
  return {{"age", {"13-17", "18-24", "25-34", "35-49", "50-64", "65+"}, 0.2},
          {"gender", {"female", "male", "other"}, 0.1},
          {"place", {"north", "south", "east", "west", "coast", "hills", "city", "abroad"}, 0.1},
          {"interest", {kTasteNames.begin(), kTasteNames.end()}, 0.6}};
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double dot(const Taste& a, const Taste& b) {
  double sum = 0;
  for (std::size_t d = 0; d < kWorldTastes; ++d) sum += a[d] * b[d];
  return sum;
}

// One taste vector per value of a trait: of mean 0 over the values and of mean square length
// `share * kWorldTastes`, so that a trait explains exactly its share, whatever its number of
// values.
std::vector<Taste> trait_effects(const Trait& trait, Rng& rng) {
  const double n = static_cast<double>(trait.values.size());
  std::vector<Taste> effects(trait.values.size());
  for (std::size_t v = 0; v < effects.size(); ++v) {
    for (double& x : effects[v]) x = rng.normal();
    if (trait.name == "interest") effects[v][v] += kInterestOwn;
  }
  double square = 0;
  for (std::size_t d = 0; d < kWorldTastes; ++d) {
    double mean = 0;
    for (const Taste& effect : effects) mean += effect[d] / n;
    for (Taste& effect : effects) {
      effect[d] -= mean;
      square += effect[d] * effect[d] / n;
    }
  }
  const double scale = std::sqrt(trait.share * static_cast<double>(kWorldTastes) / square);
  for (Taste& effect : effects) {
    for (double& x : effect) x *= scale;
  }
  return effects;
}

std::size_t day_number(double day) { return day > 0 ? static_cast<std::size_t>(day) : 0; }

// Indices of the n highest scores, highest first, equals by index.
std::vector<std::size_t> top(const std::vector<double>& scores, const std::vector<bool>& exclude,
                             std::size_t n) {
  std::vector<std::size_t> order;
  order.reserve(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (i >= exclude.size() || !exclude[i]) order.push_back(i);
  }
  n = std::min(n, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(n), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
                    });
  order.resize(n);
  return order;
}

}  // namespace

World::World(std::uint64_t seed) : seed_(seed) {
  make_persons();
  make_items();
  make_drift();
  calibrate();
}

Rng World::stream(std::uint64_t purpose, std::uint64_t index) const {
  return Rng(mix64(mix64(seed_, purpose), index));
}

void World::make_persons() {
  const std::vector<Trait> traits = world_traits();
  std::vector<std::vector<Taste>> effects;
  for (std::size_t t = 0; t < traits.size(); ++t) {
    Rng rng = stream(kTraits, t);
    effects.push_back(trait_effects(traits[t], rng));
  }
  persons_.resize(kWorldPersons);
  explained_.assign(kWorldPersons, Taste{});
  for (std::size_t p = 0; p < kWorldPersons; ++p) {
    Rng rng = stream(kPersons, p);
    persons_[p].id = fmt::format("p{:04}", p + 1);
    for (std::size_t t = 0; t < traits.size(); ++t) {
      const std::size_t value = rng.below(traits[t].values.size());
      persons_[p].traits.emplace_back(traits[t].name, traits[t].values[value]);
      for (std::size_t d = 0; d < kWorldTastes; ++d) {
        explained_[p][d] += std::sqrt(0.5) * effects[t][value][d];
      }
    }
  }
  std::vector<std::size_t> order(kWorldPersons);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng rng = stream(kBotDraw, 0);
  for (std::size_t i = 0; i < kBots; ++i) {
    std::swap(order[i], order[i + rng.below(kWorldPersons - i)]);
    persons_[order[i]].is_bot = true;
  }
}

void World::make_items() {
  items_.resize(kWorldItems);
  mixture_.resize(kWorldItems);
  quality_.resize(kWorldItems);
  for (std::size_t i = 0; i < kWorldItems; ++i) {
    Rng rng = stream(kItems, i);
    const std::size_t first = rng.below(kWorldTastes);
    const std::size_t second = (first + 1 + rng.below(kWorldTastes - 1)) % kWorldTastes;
    SimItem& item = items_[i];
    item.id = fmt::format("i{:04}", i + 1);
    item.category = kTasteNames[first];
    const std::size_t form = rng.below(kTagForms.size());
    item.tags.push_back(fmt::format("{}-{}", kTasteNames[second], kTagForms[form]));
    if (rng.chance(0.5)) {
      const std::size_t other = (form + 1 + rng.below(kTagForms.size() - 1)) % kTagForms.size();
      item.tags.push_back(fmt::format("{}-{}", kTasteNames[second], kTagForms[other]));
    }
    item.price = std::round(100 * std::exp(2.5 + 0.8 * rng.normal())) / 100;
    quality_[i] = kQualitySd * rng.normal();
    Taste& mix = mixture_[i];
    for (double& x : mix) x = kItemNoise * rng.normal();
    mix[first] += 1;
    mix[second] += kSecondTaste;
    const double length = std::sqrt(dot(mix, mix));
    for (double& x : mix) x /= length;
  }
}

// One day of the Ornstein-Uhlenbeck process, exact: variance stays 1, correlation 1/2 per
// half-life.
void World::step(Taste& state, std::size_t person, std::uint64_t day) const {
  const double keep = std::exp2(-1 / kWorldHalfLifeDays);
  const double fresh = std::sqrt(1 - keep * keep);
  Rng rng = stream(mix64(kDrift, day), person);
  for (double& x : state) {
    const double noise = rng.normal();
    x = day == 0 ? noise : keep * x + fresh * noise;
  }
}

void World::make_drift() {
  drift_.assign(kStoredDays, std::vector<Taste>(kWorldPersons));
  for (std::size_t day = 0; day < kStoredDays; ++day) {
    if (day > 0) drift_[day] = drift_[day - 1];
    for (std::size_t p = 0; p < kWorldPersons; ++p) step(drift_[day][p], p, day);
  }
}

Taste World::unobserved(std::size_t person, double day) const {
  CHECK(person < kWorldPersons);
  const std::size_t wanted = day_number(day);
  Taste state = drift_[std::min(wanted, kStoredDays - 1)][person];
  for (std::size_t d = kStoredDays; d <= wanted; ++d) step(state, person, d);
  for (double& x : state) x *= std::sqrt(0.5);
  return state;
}

Taste World::taste(std::size_t person, double day) const {
  Taste sum = unobserved(person, day);
  for (std::size_t d = 0; d < kWorldTastes; ++d) sum[d] += explained_[person][d];
  return sum;
}

// Log-odds of a click without the intercept.
double World::affinity(const Taste& taste, std::size_t item) const {
  return kWorldSlope * dot(taste, mixture_[item]) + quality_[item];
}

// Bisects the intercept so that the mean over random pairs of no bots, days 0-39, is the base rate.
void World::calibrate() {
  constexpr std::size_t kSample = 50000;
  Rng rng = stream(kPairs, 0);
  std::vector<double> sample;
  sample.reserve(kSample);
  while (sample.size() < kSample) {
    const std::size_t person = rng.below(kWorldPersons);
    const std::size_t item = rng.below(kWorldItems);
    const double day = static_cast<double>(rng.below(40));
    if (!persons_[person].is_bot) sample.push_back(affinity(taste(person, day), item));
  }
  double low = -12;
  double high = 4;
  for (int round = 0; round < 48; ++round) {
    intercept_ = (low + high) / 2;
    double sum = 0;
    for (const double x : sample) sum += sigmoid(intercept_ + x);
    (sum < kWorldBaseRate * static_cast<double>(kSample) ? low : high) = intercept_;
  }
}

double World::p_click(std::size_t person, std::size_t item, double day) const {
  CHECK(person < kWorldPersons && item < kWorldItems);
  if (persons_[person].is_bot) return kWorldBotRate;
  return sigmoid(intercept_ + affinity(taste(person, day), item));
}

std::vector<std::size_t> World::best(std::size_t person, double day,
                                     const std::vector<bool>& exclude, std::size_t n) const {
  const Taste now = taste(person, day);
  std::vector<double> scores(kWorldItems);
  for (std::size_t i = 0; i < kWorldItems; ++i) scores[i] = affinity(now, i);
  return top(scores, exclude, n);
}

double World::oracle_rate(std::size_t person, double day, const std::vector<bool>& exclude,
                          std::size_t n) const {
  const std::vector<std::size_t> chosen = best(person, day, exclude, n);
  double sum = 0;
  for (const std::size_t item : chosen) sum += p_click(person, item, day);
  return chosen.empty() ? 0 : sum / static_cast<double>(chosen.size());
}

std::vector<double> World::mean_rates(double day) const {
  std::vector<double> rates(kWorldItems);
  for (std::size_t p = 0; p < kWorldPersons; ++p) {
    if (persons_[p].is_bot) continue;
    const Taste now = taste(p, day);
    for (std::size_t i = 0; i < kWorldItems; ++i) {
      rates[i] += sigmoid(intercept_ + affinity(now, i));
    }
  }
  for (double& rate : rates) rate /= static_cast<double>(kWorldPersons - kBots);
  return rates;
}

std::vector<std::size_t> World::popular(double day, std::size_t n) const {
  return top(mean_rates(day), {}, n);
}

double World::popularity_rate(double day, std::size_t n) const {
  const std::vector<double> rates = mean_rates(day);
  const std::vector<std::size_t> chosen = top(rates, {}, n);
  double sum = 0;
  for (const std::size_t item : chosen) sum += rates[item];
  return chosen.empty() ? 0 : sum / static_cast<double>(chosen.size());
}

WorldRow World::row(std::uint64_t k) const {
  Rng rng = stream(kRows, k);
  WorldRow row;
  row.person = rng.below(kWorldPersons);
  row.item = rng.below(kWorldItems);
  row.day = static_cast<double>(k) / static_cast<double>(kWorldRowsPerDay);
  row.p = p_click(row.person, row.item, row.day);
  row.click = rng.chance(row.p);
  return row;
}

std::vector<WorldRow> World::rows(std::size_t n) const {
  std::vector<WorldRow> all;
  all.reserve(n);
  for (std::size_t k = 0; k < n; ++k) all.push_back(row(k));
  return all;
}

std::string world_row_csv(const World& world, const WorldRow& row) {
  return fmt::format("{},{},{:.6g},{:.6g},{}\n", world.persons()[row.person].id,
                     world.items()[row.item].id, row.day, row.p, row.click ? 1 : 0);
}

std::string world_digest(std::uint64_t seed) {
  const World world(seed);
  std::string csv;
  for (const WorldRow& row : world.rows(10000)) csv += world_row_csv(world, row);
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(csv.data()), csv.size());
  std::string hex;
  for (const unsigned char byte : hash) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace attune
