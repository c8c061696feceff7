// What a policy could reach on world v1 if it knew parts of the truth: the demo's audience (80 %
// served by the policy, slates of 5, seen window of a day, the last 50,000 of 200,000 impressions)
// played in memory, without server or learner. The policy is greedy on the exact posterior of a
// person's drifting taste (a Kalman filter over all 16 dimensions, linearised at the prediction)
// and never explores, unless told to (--optimism). What it knows:
//   persons   the half of the tastes that traits explain, and the drift's law; nothing is learned
//             of a person's other half
//   answers   persons, and the filter
// over items of which it knows
//   content   what category and tags say: mixture without its noise, no quality
//   quality   content, and each item's quality
//   all       mixtures and qualities as they are
// An honest learner knows none of this at the start, so "answers, quality" bounds what can be
// learned from content, and "answers, all" what can be learned at all by a greedy policy.
//   world_bounds [--per-day N] [--optimism B] [SEED...]
//   --per-day N   impressions a day (default 5,000): at more, tastes drift less while they are told
//   --optimism B  until the last 50,000 impressions an item's log-odds count B standard deviations
//   of
//                 the belief more: what is not known well is tried (default 0)
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <numeric>

#include "base/hash.h"
#include "simulate/oracle.h"
#include "simulate/world.h"

namespace attune {
namespace {

constexpr std::size_t kTastes = kWorldTastes, kSlate = 5, kWave = 20;
constexpr std::uint64_t kWanted = 200'000, kLate = 150'000;
constexpr double kUnobserved = 0.5;  // variance of the drifting half
constexpr double kSecondTaste = 0.45, kItemNoise = 0.1;

enum class Items { kContent, kQuality, kAll };

struct Knowledge {
  const char* name;
  bool has_answers;
  Items items;
};
constexpr Knowledge kRows[] = {{"persons, content", false, Items::kContent},
                               {"persons, all", false, Items::kAll},
                               {"answers, content", true, Items::kContent},
                               {"answers, quality", true, Items::kQuality},
                               {"answers, all", true, Items::kAll}};

struct Play {
  double per_day = kWorldRowsPerDay;
  double optimism = 0;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double dot(const Taste& a, const Taste& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Belief about the drifting half of one person's taste.
class Belief {
 public:
  Belief() {
    for (std::size_t d = 0; d < kTastes; ++d) covariance_[d * kTastes + d] = kUnobserved;
  }
  const Taste& mean() const { return mean_; }
  void drift_to(double day) {
    const double keep = std::exp2(-(day - day_) / kWorldHalfLifeDays);
    for (double& m : mean_) m *= keep;
    for (std::size_t i = 0; i < covariance_.size(); ++i) {
      const double prior = i % (kTastes + 1) == 0 ? kUnobserved : 0;
      covariance_[i] = prior + (covariance_[i] - prior) * keep * keep;
    }
    day_ = day;
  }
  // Standard deviation of the log-odds; h as below.
  double doubt(const Taste& h) const { return std::sqrt(std::max(0.0, dot(h, spread(h)))); }
  // h: change of the log-odds with each taste; p: the chance predicted.
  void learn(const Taste& h, double p, bool click) {
    const Taste gain = spread(h);
    const double information = p * (1 - p);
    const double scale = 1 / (1 + information * dot(h, gain));
    for (std::size_t a = 0; a < kTastes; ++a) {
      mean_[a] += gain[a] * scale * ((click ? 1 : 0) - p);
      for (std::size_t b = 0; b < kTastes; ++b) {
        covariance_[a * kTastes + b] -= information * scale * gain[a] * gain[b];
      }
    }
  }

 private:
  Taste spread(const Taste& h) const {
    Taste sum{};
    for (std::size_t b = 0; b < kTastes; ++b) {  // symmetric: so it can be vectorised
      for (std::size_t a = 0; a < kTastes; ++a) sum[a] += covariance_[b * kTastes + a] * h[b];
    }
    return sum;
  }

  Taste mean_{};
  std::array<double, kTastes * kTastes> covariance_{};
  double day_ = 0;
};

struct ItemTruth {
  Taste slope{};  // of the log-odds with each taste
  double base = 0;
};

// Which dimension each word is, by the largest part of the mixtures of its category.
std::map<std::string, std::size_t> dimensions(const World& world) {
  std::map<std::string, std::size_t> found;
  for (std::size_t i = 0; i < kWorldItems; ++i) {
    const Taste& mix = world.mixture(i);
    const auto most = std::max_element(mix.begin(), mix.end()) - mix.begin();
    found[world.items()[i].category] = static_cast<std::size_t>(most);
  }
  return found;
}

double intercept(const World& world) {
  std::size_t person = 0;
  while (world.persons()[person].is_bot) ++person;
  const double p = world.p_click(person, 0, 0);
  return std::log(p / (1 - p)) - kWorldSlope * dot(world.taste(person, 0), world.mixture(0)) -
         world.quality(0);
}

std::vector<ItemTruth> known_items(const World& world, Items known) {
  const auto dimension = dimensions(world);
  const double length = std::sqrt(1 + kSecondTaste * kSecondTaste +
                                  static_cast<double>(kTastes) * kItemNoise * kItemNoise);
  const double base = intercept(world);
  std::vector<ItemTruth> items(kWorldItems);
  for (std::size_t i = 0; i < kWorldItems; ++i) {
    const SimItem& item = world.items()[i];
    Taste mix = world.mixture(i);
    if (known != Items::kAll) {
      const std::string& tag = item.tags.front();
      mix = {};
      mix[dimension.at(item.category)] = 1 / length;
      mix[dimension.at(tag.substr(0, tag.find('-')))] = kSecondTaste / length;
    }
    for (std::size_t d = 0; d < kTastes; ++d) items[i].slope[d] = kWorldSlope * mix[d];
    items[i].base = base + (known == Items::kContent ? 0 : world.quality(i));
  }
  return items;
}

struct Rates {
  double policy = 0, popularity = 0, oracle = 0;
  double gap_closed() const { return (policy - popularity) / (oracle - popularity); }
};

class Audience {
 public:
  Audience(std::uint64_t seed, const Knowledge& knowledge, const Play& play)
      : seed_(seed),
        play_(play),
        has_answers_(knowledge.has_answers),
        world_(seed),
        oracle_(world_),
        items_(known_items(world_, knowledge.items)),
        rng_(mix64(seed, 1)) {}

  Rates play() {
    while (played_ < kWanted) {
      std::vector<std::size_t> wave;
      while (wave.size() < kWave) {
        const std::size_t person = rng_.below(kWorldPersons);
        if (std::find(wave.begin(), wave.end(), person) == wave.end()) wave.push_back(person);
      }
      for (const std::size_t person : wave) visit(person);
    }
    return {clicks_[0] / seen_[0], clicks_[1] / seen_[1], by_oracle_ / seen_[0]};
  }

 private:
  void visit(std::size_t person) {
    const double day = static_cast<double>(played_) / play_.per_day;
    auto& recent = recent_[person];
    std::erase_if(recent, [&](const auto& seen) { return seen.second < day - 1; });
    std::vector<std::size_t> excluded;
    for (const auto& [item, when] : recent) excluded.push_back(item);
    const bool is_learned = person % 10 > 1, is_popular = person % 10 == 1;
    std::vector<double> scores(kWorldItems);
    Belief& belief = beliefs_[person];
    belief.drift_to(day);
    for (std::size_t i = 0; i < kWorldItems; ++i) {
      scores[i] = is_learned   ? logit(person, i) + bonus(belief, i)
                  : is_popular ? (clicked_[i] + 1) / (shown_[i] + 25)
                               : rng_.uniform();
    }
    for (const std::size_t item : excluded) scores[item] = -1e9;
    for (std::size_t place = 0; place < kSlate; ++place) {
      const auto best =
          static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
      scores[best] = -1e9;
      recent.emplace_back(best, day);
      show(person, best, day, is_learned ? 0 : is_popular ? 1 : 2);
    }
    if (is_learned && played_ >= kLate && !world_.persons()[person].is_bot) {
      by_oracle_ += kSlate * oracle_.rate(person, day, excluded, kSlate);
    }
    played_ += kSlate;
  }
  double logit(std::size_t person, std::size_t item) const {
    const Taste& known = world_.explained(person);
    const Taste& belief = beliefs_[person].mean();
    return items_[item].base + dot(known, items_[item].slope) + dot(belief, items_[item].slope);
  }
  double bonus(const Belief& belief, std::size_t i) const {
    if (!has_answers_ || play_.optimism == 0 || played_ >= kLate) return 0;
    return play_.optimism * belief.doubt(items_[i].slope);
  }
  void show(std::size_t person, std::size_t item, double day, std::size_t share) {
    Rng draw(mix64(mix64(seed_, person), ++impressions_[person]));
    const bool click = draw.chance(world_.p_click(person, item, day));
    if (has_answers_)
      beliefs_[person].learn(items_[item].slope, sigmoid(logit(person, item)), click);
    shown_[item] += 1;
    clicked_[item] += click ? 1 : 0;
    if (played_ < kLate || world_.persons()[person].is_bot) return;
    seen_[share] += 1;
    clicks_[share] += click ? 1 : 0;
  }

  const std::uint64_t seed_;
  const Play play_;
  const bool has_answers_;
  const World world_;
  Oracle oracle_;
  const std::vector<ItemTruth> items_;
  Rng rng_;
  std::vector<Belief> beliefs_{kWorldPersons};
  std::vector<std::vector<std::pair<std::size_t, double>>> recent_{kWorldPersons};
  std::vector<std::uint64_t> impressions_ = std::vector<std::uint64_t>(kWorldPersons);
  std::vector<double> shown_ = std::vector<double>(kWorldItems);
  std::vector<double> clicked_ = std::vector<double>(kWorldItems);
  std::array<double, 3> seen_{}, clicks_{};
  double by_oracle_ = 0;
  std::uint64_t played_ = 0;
};

}  // namespace
}  // namespace attune

int main(int argc, char** argv) {
  std::vector<std::uint64_t> seeds;
  attune::Play play;
  for (int i = 1; i < argc; ++i) {
    const bool has_value = i + 1 < argc;
    if (has_value && std::strcmp(argv[i], "--per-day") == 0) {
      play.per_day = std::max(1.0, std::strtod(argv[++i], nullptr));
    } else if (has_value && std::strcmp(argv[i], "--optimism") == 0) {
      play.optimism = std::strtod(argv[++i], nullptr);
    } else {
      seeds.push_back(std::strtoull(argv[i], nullptr, 10));
    }
  }
  if (seeds.empty()) seeds = {1, 2, 3};
  std::printf("| seed | knows of persons, items | policy | popularity | oracle | gap closed |\n");
  std::printf("|---|---|---:|---:|---:|---:|\n");
  for (const std::uint64_t seed : seeds) {
    for (const attune::Knowledge& row : attune::kRows) {
      const attune::Rates rates = attune::Audience(seed, row, play).play();
      std::printf("| %llu | %s | %.2f %% | %.2f %% | %.2f %% | %.1f %% |\n",
                  static_cast<unsigned long long>(seed), row.name, 100 * rates.policy,
                  100 * rates.popularity, 100 * rates.oracle, 100 * rates.gap_closed());
    }
  }
}
