#include "cli/tally.h"

#include <algorithm>

#include "base/rng.h"

namespace attune {
namespace {

constexpr std::size_t kResamples = 1000;

double closed(const Shown& learned, const Shown& popularity) {
  const double gap = learned.oracle_rate() - popularity.rate();
  return gap != 0 ? (learned.rate() - popularity.rate()) / gap : 0;
}

Shown resample(const std::vector<Shown>& persons, Rng& rng) {
  Shown sum;
  for (std::size_t i = 0; i < persons.size(); ++i) sum.add(persons[rng.below(persons.size())]);
  return sum;
}

}  // namespace

std::string_view share_name(Share share) {
  constexpr std::string_view kNames[] = {"learned", "popularity", "random"};
  return kNames[static_cast<std::size_t>(share)];
}

Share share_of(std::size_t person) {
  if (person % 10 == 0) return Share::kRandom;
  return person % 10 == 1 ? Share::kPopularity : Share::kLearned;
}

void Shown::add(const Shown& other) {
  shown += other.shown;
  clicks += other.clicks;
  oracle += other.oracle;
}

Tally::Tally(std::size_t persons, std::uint64_t wanted) : wanted_(wanted), late_of_(persons) {}

std::size_t Tally::part_of(std::uint64_t played) const {
  return std::min<std::size_t>(kParts - 1, played * kParts / std::max<std::uint64_t>(1, wanted_));
}

void Tally::add(std::size_t person, std::uint64_t played, const Shown& seen) {
  const std::size_t share = index(share_of(person));
  all_[share].add(seen);
  parts_[part_of(played)][share].add(seen);
  if (played * 4 < wanted_ * 3) return;
  late_[share].add(seen);
  late_of_[person].add(seen);
}

Estimate Tally::gap_closed(std::uint64_t seed) const {
  std::array<std::vector<Shown>, kShares> persons;
  for (std::size_t person = 0; person < late_of_.size(); ++person) {
    if (late_of_[person].shown != 0) {
      persons[index(share_of(person))].push_back(late_of_[person]);
    }
  }
  const auto& learned = persons[index(Share::kLearned)];
  const auto& popularity = persons[index(Share::kPopularity)];
  Estimate out{.value = closed(late(Share::kLearned), late(Share::kPopularity))};
  Rng rng(seed);
  std::vector<double> draws(kResamples);
  for (double& draw : draws) draw = closed(resample(learned, rng), resample(popularity, rng));
  std::sort(draws.begin(), draws.end());
  out.low = draws[kResamples * 25 / 1000];
  out.high = draws[kResamples * 975 / 1000 - 1];
  return out;
}

}  // namespace attune
