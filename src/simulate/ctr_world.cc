#include "simulate/ctr_world.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/rng.h"

namespace attune {
namespace {

constexpr std::size_t kTastes = 8;
constexpr double kTurnPerDay = 0.02;  // radians by which effects turn into others

enum Field : std::size_t {
  kUser,
  kCity,
  kRegion,
  kAge,
  kInterest,
  kDevice,
  kSystem,
  kCarrier,
  kItem,
  kCampaign,
  kAdvertiser,
  kCategory,
  kFormat,
  kDomain,
  kKeyword,
  kBrand,
  kSite,
  kSiteKind,
  kPage,
  kSlot,
  kHour,
  kWeekday,
  kReferrer,
  kExchange,
  kBrowser,
  kCookie
};
enum Group : std::size_t { kPerson, kAd, kPlace };

struct FieldLaw {
  Group group;
  PowerLawOptions ids;
  double missing;  // share of the rows
  double effect;   // standard deviation of an id's own effect on the log-odds
  double taste;    // weight of its vector in its group's
};

constexpr FieldLaw kFields[kCtrCategories] = {
    {kPerson, {500'000, 1.05, 40}, 0, 0.75, 0.6},  // C1 user
    {kPerson, {3'000, 1.2, 10}, 0, 0.15, 0.15},    // C2 city
    {kPerson, {60, 1.1, 4}, 0, 0.15, 0.2},         // C3 region
    {kPerson, {24, 0.6, 4}, 0.05, 0.3, 0.5},       // C4 age and sex
    {kPerson, {200, 0.9, 8}, 0, 0.2, 0.7},         // C5 interest
    {kPerson, {4'000, 1.3, 5}, 0, 0.2, 0.1},       // C6 device
    {kPerson, {12, 1.2, 1}, 0, 0.15, 0.1},         // C7 system
    {kPerson, {50, 1.2, 2}, 0.25, 0.05, 0},        // C8 carrier
    {kAd, {20'000, 1.2, 20}, 0, 0.35, 0.3},        // C9 item
    {kAd, {8'000, 1.1, 20}, 0, 0.25, 0.3},         // C10 campaign
    {kAd, {1'500, 1.1, 20}, 0, 0.25, 0.4},         // C11 advertiser
    {kAd, {30, 0.7, 4}, 0, 0.25, 0.7},             // C12 category
    {kAd, {10, 0.8, 2}, 0, 0.25, 0.1},             // C13 format
    {kAd, {3'000, 1.2, 10}, 0.1, 0.1, 0},          // C14 domain
    {kAd, {4'000, 1.2, 10}, 0.35, 0.3, 0.3},       // C15 keyword, within its category
    {kAd, {500, 1.1, 10}, 0.2, 0.15, 0.15},        // C16 brand
    {kPlace, {20'000, 1.2, 10}, 0, 0.35, 0.5},     // C17 site
    {kPlace, {25, 0.8, 3}, 0, 0.25, 0.7},          // C18 kind of site
    {kPlace, {2'000, 1.3, 5}, 0.1, 0.5, 0.3},      // C19 page, within its site
    {kPlace, {120, 1.2, 3}, 0, 0.3, 0.2},          // C20 slot
    {kPlace, {24, 0.5, 1}, 0, 0.15, 0.3},          // C21 hour
    {kPlace, {7, 0.5, 1}, 0, 0.05, 0.1},           // C22 weekday
    {kPlace, {30'000, 1.2, 10}, 0.45, 0.2, 0},     // C23 referrer
    {kPlace, {15, 1.2, 1}, 0, 0.1, 0},             // C24 exchange
    {kPlace, {6, 1.5, 1}, 0.02, 0.05, 0},          // C25 browser, within its system and time
    {kPlace, {3'000'000, 0.5, 1}, 0.3, 0, 0},      // C26 token: says nothing
};
// Weights of the products of the groups' tastes.
constexpr double kPersonAd = 0.52, kPersonPlace = 0.27, kAdPlace = 0.27;

// How a number comes about: x = floor(exp(mean + sd * z) - shift), where z is follow * source +
// sqrt(1 - follow^2) * N(0, 1).
enum Source { kUserEffect, kAdEffect, kPlaceEffect, kMatch, kFrequency, kNoise };
struct NumberLaw {
  Source source;
  double follow;
  double mean, sd;
  double shift;
  double missing;
  double slope;  // of the log-odds with z
  double bend;   // and with (z^2 - 1) / sqrt(2)
};
constexpr NumberLaw kNumbers[kCtrNumbers] = {
    {kUserEffect, 0.5, 0.8, 1.2, 0, 0.4, 0.2, 0},
    {kFrequency, 0.9, 3.0, 1.6, 2, 0, 0, 0.15},
    {kAdEffect, 0.4, 2.0, 1.3, 0, 0.2, 0.2, 0},
    {kPlaceEffect, 0.4, 1.5, 0.9, 0, 0.22, 0.15, 0},
    {kNoise, 0, 8.0, 1.8, 0, 0.03, -0.15, 0.1},
    {kFrequency, 0.5, 4.0, 1.5, 0, 0.2, -0.15, 0},
    {kMatch, 0.5, 1.5, 1.2, 0, 0.1, 0.15, 0},
    {kNoise, 0, 2.3, 0.9, 0, 0, 0, 0.15},
    {kAdEffect, 0.3, 4.2, 1.2, 0, 0.05, 0.1, 0},
    {kNoise, 0, -0.6, 0.8, 0, 0.45, 0.1, 0},
    {kUserEffect, 0.3, 0.9, 0.9, 0, 0.05, 0.15, 0},
    {kNoise, 0, -0.5, 1.1, 0, 0.75, 0, 0},
    {kPlaceEffect, 0.3, 1.6, 1.0, 0, 0.2, 0, -0.15},
};

// About normal, mean 0 and variance 1: four uniform ones.
double normal_of(std::uint64_t bits) {
  const auto part = [bits](int at) { return static_cast<double>(bits >> at & 0xffff); };
  constexpr double kScale = 1.7320508075688772 / 65536;
  return (part(0) + part(16) + part(32) + part(48) - 131070) * kScale;
}

// A vector of uniform parts, each of mean 0 and variance 1 / kTastes.
using Vector = std::array<double, kTastes>;
void add_vector(std::uint64_t bits, double weight, Vector& sum) {
  const double scale = weight * 1.7320508075688772 / 127.5 / std::sqrt(double(kTastes));
  for (double& x : sum) {
    x += scale * (static_cast<double>(bits & 255) - 127.5);
    bits >>= 8;
  }
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t d = 0; d < kTastes; ++d) sum += a[d] * b[d];
  return sum;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

struct CtrWorld::Scene {
  Rng rng;
  double day = 0;
  Ids ids{};
  std::array<bool, kCtrCategories> is_missing{};
  std::array<double, 3> effects{};  // of each group
  std::array<Vector, 3> tastes{};
  double match = 0;  // of person and ad
  double logit = 0;
};

CtrWorld::CtrWorld(std::uint64_t seed) : seed_(seed) {
  for (std::size_t f = 0; f < kCtrCategories; ++f) {
    laws_.emplace_back(kFields[f].ids);
    salts_[f] = mix64(mix64(seed, 0x637472), f);
  }
  calibrate();
}

std::uint64_t CtrWorld::drawn(std::size_t field, std::uint64_t bits) const {
  return laws_[field].draw(bits);
}

std::uint64_t CtrWorld::derived(std::size_t field, std::uint64_t parent) const {
  return drawn(field, mix64(salts_[field] ^ 0x5bd1e995, parent));
}

void CtrWorld::draw_person(Scene& scene) const {
  Ids& id = scene.ids;
  Rng& rng = scene.rng;
  id[kUser] = drawn(kUser, rng.next());
  id[kCity] = derived(kCity, id[kUser]);
  id[kRegion] = derived(kRegion, id[kCity]);
  id[kAge] = derived(kAge, id[kUser]);
  id[kInterest] = derived(kInterest, id[kUser]);
  id[kDevice] = rng.chance(0.85) ? derived(kDevice, id[kUser]) : drawn(kDevice, rng.next());
  id[kSystem] = derived(kSystem, id[kDevice]);
  id[kCarrier] = rng.chance(0.75) ? derived(kCarrier, id[kRegion]) : drawn(kCarrier, rng.next());
}

// An ad lives 3 to 63 days in its rank, then another takes its place.
void CtrWorld::draw_ad(Scene& scene) const {
  Ids& id = scene.ids;
  Rng& rng = scene.rng;
  const std::uint64_t rank = drawn(kItem, rng.next());
  Rng fate(mix64(salts_[kItem], rank));
  const double share = fate.uniform();
  const double life = 3 + 60 * share * share;
  const auto generation = static_cast<std::uint64_t>(scene.day / life + fate.uniform());
  id[kItem] = rank + generation * kFields[kItem].ids.size;
  id[kCampaign] = derived(kCampaign, id[kItem]);
  id[kAdvertiser] = derived(kAdvertiser, id[kCampaign]);
  id[kCategory] = derived(kCategory, id[kAdvertiser]);
  id[kFormat] = derived(kFormat, id[kItem]);
  id[kDomain] = rng.chance(0.9) ? derived(kDomain, id[kAdvertiser]) : drawn(kDomain, rng.next());
  id[kKeyword] = id[kCategory] * kFields[kKeyword].ids.size + drawn(kKeyword, rng.next());
  id[kBrand] = derived(kBrand, id[kItem]);
}

void CtrWorld::draw_place(Scene& scene) const {
  Ids& id = scene.ids;
  Rng& rng = scene.rng;
  // Three in ten come to a site for their interest, one of about 60 favourites.
  const std::uint64_t favourite = id[kInterest] * 64 + rng.below(60);
  id[kSite] = rng.chance(0.3) ? derived(kSite, favourite) : drawn(kSite, rng.next());
  id[kSiteKind] = derived(kSiteKind, id[kSite]);
  id[kPage] = id[kSite] * kFields[kPage].ids.size + drawn(kPage, rng.next());
  const std::uint64_t place = id[kSite] * 4 + rng.below(4);
  id[kSlot] = rng.chance(0.7) ? derived(kSlot, place) : drawn(kSlot, rng.next());
  id[kHour] = static_cast<std::uint64_t>(scene.day * 24) % 24;
  id[kWeekday] = static_cast<std::uint64_t>(scene.day) % 7;
  id[kReferrer] = drawn(kReferrer, rng.next());
  id[kExchange] = rng.chance(0.8) ? derived(kExchange, id[kSite]) : drawn(kExchange, rng.next());
  const auto newest = static_cast<std::uint64_t>(scene.day / 5) + 100;
  id[kBrowser] = (newest - drawn(kBrowser, rng.next())) * 12 + id[kSystem];
  id[kCookie] = drawn(kCookie, rng.next());
}

// Own effects, which turn slowly, and the groups' tastes. What is missing has no effect.
void CtrWorld::add_effects(Scene& scene) const {
  const double turn = kTurnPerDay * scene.day;
  const double keep = std::cos(turn), fresh = std::sin(turn);
  for (std::size_t f = 0; f < kCtrCategories; ++f) {
    const FieldLaw& law = kFields[f];
    scene.is_missing[f] = law.missing > 0 && scene.rng.chance(law.missing);
    if (scene.is_missing[f] || (law.effect == 0 && law.taste == 0)) continue;
    const std::uint64_t bits = mix64(salts_[f], scene.ids[f]);
    scene.effects[law.group] +=
        law.effect * (keep * normal_of(bits) + fresh * normal_of(mix64(bits, 1)));
    if (law.taste != 0) add_vector(mix64(bits, 2), law.taste, scene.tastes[law.group]);
  }
  const auto product = [&](Group a, Group b) {
    return dot(scene.tastes[a], scene.tastes[b]) * std::sqrt(double(kTastes));
  };
  scene.match = product(kPerson, kAd);
  scene.logit += scene.effects[kPerson] + scene.effects[kAd] + scene.effects[kPlace] +
                 kPersonAd * scene.match + kPersonPlace * product(kPerson, kPlace) +
                 kAdPlace * product(kAd, kPlace);
}

// Effects of combinations that no product of vectors explains.
void CtrWorld::add_cells(Scene& scene) const {
  struct Cell {
    Field a, b, c;
    double effect;
  };
  constexpr Cell kCells[] = {{kSlot, kFormat, kFormat, 0.25},
                             {kHour, kSiteKind, kSiteKind, 0.2},
                             {kRegion, kCategory, kCategory, 0.2},
                             {kAge, kFormat, kSystem, 0.2}};
  for (const Cell& cell : kCells) {
    if (scene.is_missing[cell.a] || scene.is_missing[cell.b]) continue;
    const std::uint64_t ids = mix64(mix64(scene.ids[cell.a], scene.ids[cell.b]), scene.ids[cell.c]);
    scene.logit += cell.effect * normal_of(mix64(mix64(salts_[cell.a], cell.b), ids));
  }
}

void CtrWorld::add_numbers(Scene& scene, CtrRow& row) const {
  const double frequency = normal_of(mix64(salts_[kUser] ^ 1, scene.ids[kUser]));
  const double sources[] = {
      scene.effects[kPerson], scene.effects[kAd], scene.effects[kPlace], scene.match, frequency, 0};
  for (std::size_t j = 0; j < kCtrNumbers; ++j) {
    const NumberLaw& law = kNumbers[j];
    const double z = law.follow * sources[law.source] +
                     std::sqrt(1 - law.follow * law.follow) * normal_of(scene.rng.next());
    row.numbers[j] = kMissingNumber;
    if (law.missing > 0 && scene.rng.chance(law.missing)) continue;
    scene.logit += law.slope * z + law.bend * (z * z - 1) / std::sqrt(2.0);
    const double x = std::exp(std::min(law.mean + law.sd * z, 20.0)) - law.shift;
    row.numbers[j] = static_cast<std::int32_t>(std::floor(x));
  }
}

double CtrWorld::make(std::uint64_t k, CtrRow& row) const {
  Scene scene{.rng = Rng(mix64(mix64(seed_, 0x726f77), k)),
              .day = static_cast<double>(k) / double(kCtrRowsPerDay)};
  draw_person(scene);
  draw_ad(scene);
  draw_place(scene);
  add_effects(scene);
  add_cells(scene);
  add_numbers(scene, row);
  for (std::size_t f = 0; f < kCtrCategories; ++f) {
    const auto hash = static_cast<std::uint32_t>(mix64(salts_[f] ^ 0x68617368, scene.ids[f]));
    row.categories[f] = scene.is_missing[f] ? 0 : std::max(hash, 1U);
  }
  row.click = false;
  row.p = scene.rng.uniform();  // for the caller: whether it is a click
  return scene.logit;
}

CtrRow CtrWorld::row(std::uint64_t k) const {
  CtrRow row;
  const double logit = make(k, row);
  const double p = std::clamp(sigmoid(intercept_ + logit), 1e-4, 1 - 1e-4);
  row.click = row.p < p;
  row.p = p;
  return row;
}

// Bisects the intercept so that the mean over a sample of the first ten days is the base rate.
void CtrWorld::calibrate() {
  constexpr std::uint64_t kSample = 20'000;
  std::vector<double> logits;
  CtrRow row;
  for (std::uint64_t i = 0; i < kSample; ++i) {
    logits.push_back(make(i * (10 * kCtrRowsPerDay / kSample), row));
  }
  double low = -12;
  double high = 4;
  for (int round = 0; round < 48; ++round) {
    intercept_ = (low + high) / 2;
    double sum = 0;
    for (const double x : logits) sum += sigmoid(intercept_ + x);
    (sum < kCtrBaseRate * double(kSample) ? low : high) = intercept_;
  }
}

}  // namespace attune
