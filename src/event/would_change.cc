#include "event/would_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace attune {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double logit(double p) { return std::log(p / (1 - p)); }

// The best item not shown that the rules allow in its place; null = none.
const OtherItem* next_best(const Decision& decision, const ShownItem& item) {
  const bool is_one = item.instead > 0 && item.instead <= decision.others.size();
  return is_one ? &decision.others[item.instead - 1] : nullptr;
}

// Without it other items would change as much.
bool is_common(const Decision& decision, const Part& part) {
  if (part.name == "bias" || part.name == kModelBias || part.name.starts_with("placement=")) {
    return true;
  }
  if (decision.shown.size() < 2) return false;
  return std::all_of(decision.shown.begin(), decision.shown.end(), [&](const ShownItem& shown) {
    return std::any_of(shown.parts.begin(), shown.parts.end(), [&](const Part& p) {
      return p.hash == part.hash &&
             std::bit_cast<std::uint32_t>(p.value) == std::bit_cast<std::uint32_t>(part.value);
    });
  });
}

// Below which the item's own score would have to fall.
double wanted_score(const Decision& decision, const ShownItem& item, const OtherItem& next) {
  return double{decision.has_dials ? item.instead_score : next.score};
}

bool is_by_model(const Decision& decision, const ShownItem& item) {
  return decision.policy == Policy::kLearned && item.p_click > 0 && item.score > 0 &&
         std::any_of(item.parts.begin(), item.parts.end(),
                     [](const Part& part) { return part.part != 0; });
}

// Score = boost * fresh * sigmoid(sum of parts), as ranked.
struct Score {
  double boost, fresh, sum, wanted;  // wanted: below this the other one is better

  double without(double part) const { return boost * fresh * sigmoid(sum - part); }
  double without_boost() const { return fresh * sigmoid(sum); }
};

// What it takes: the part in log-odds, the boost as its logarithm. The least that suffices wins.
std::optional<WouldChange> smallest(const Decision& decision, const ShownItem& item,
                                    const Score& score, const std::string& then) {
  std::optional<WouldChange> best;
  double least = 0;
  const auto offer = [&](double size, WouldChange change) {
    if (best && size >= least) return;
    least = size;
    best = std::move(change);
  };
  if (score.boost > 1 + 1e-6 && score.boost * score.wanted > 0 &&
      score.without_boost() < score.wanted) {
    offer(std::log(score.boost), {"boost", score.boost, 1, score.without_boost(), then});
  }
  for (const Part& part : item.parts) {
    const double size = double{part.part};
    if (!(size > 0) || score.without(size) >= score.wanted || is_common(decision, part)) continue;
    const double value = double{part.value};
    if (part.name.find('=') != std::string::npos) {
      offer(size, {part.name, value, 0, score.without(size), then});
    } else {  // a number: how far it would have to go
      const double enough = score.sum - logit(score.wanted / (score.boost * score.fresh));
      offer(enough, {part.name, value, value * (1 - enough / size), score.wanted, then});
    }
  }
  return best;
}

}  // namespace

std::optional<WouldChange> would_change(const Decision& decision, const ShownItem& item) {
  const OtherItem* const next = next_best(decision, item);
  if (next == nullptr || item.is_explored || decision.policy == Policy::kRandom) {
    return std::nullopt;
  }
  const double wanted = wanted_score(decision, item, *next), own = double{item.score};
  if (item.source == "pin") {
    if (own > wanted) return std::nullopt;  // it would be here by its score
    return WouldChange{"pin", 1, 0, own, next->item_id};
  }
  if (!is_by_model(decision, item)) {
    return WouldChange{"popularity", own, wanted, wanted, next->item_id};
  }
  const double fresh = item.freshness > 0 ? double{item.freshness} : 1;
  Score score{own / double{item.p_click} / fresh, fresh, 0, wanted};
  for (const Part& part : item.parts) score.sum += double{part.part};
  if (auto found = smallest(decision, item, score, next->item_id)) return found;
  return WouldChange{"score", own, wanted, wanted, next->item_id};
}

std::string would_change_sentence(const Decision& decision, const ShownItem& item) {
  if (decision.policy == Policy::kRandom) {
    return "Places were drawn at random: no part of the score would change it.";
  }
  if (item.is_explored) return "It was placed by exploration: its score did not decide its place.";
  const OtherItem* const next = next_best(decision, item);
  if (next == nullptr) return "No other item was allowed in its place: nothing would change it.";
  const auto change = would_change(decision, item);
  if (!change) return "It is pinned, and without the pin its score would still place it.";
  const bool is_diverse = decision.has_dials && item.instead_score != next->score;
  const std::string end = fmt::format(
      "{} ({:.4f}{}) would take its place", next->item_id, next->score,
      is_diverse ? fmt::format(", by diversity worth {:.4f} here", item.instead_score) : "");
  if (change->part == "pin") return "Without its pin " + end + ".";
  if (change->part == "popularity" || change->part == "score") {
    return fmt::format("{}: its score of {:.4f} would have to fall below {:.4f}, then {}.",
                       change->part == "score" ? "No single part decides it"
                                               : "Popularity decides it, not the model",
                       change->from, change->to, end);
  }
  if (change->part == "boost") {
    return fmt::format(
        "Without its boost of x{:.3g} its score would be {:.4f} instead of {:.4f}: {}.",
        change->from, change->score, item.score, end);
  }
  if (change->to == 0) {
    return fmt::format("Without {} its score would be {:.4f} instead of {:.4f}: {}.", change->part,
                       change->score, item.score, end);
  }
  return fmt::format(
      "Were {} {:.4g} instead of {:.4g}, its score would be {:.4f} instead of {:.4f}: {}.",
      change->part, change->to, change->from, change->score, item.score, end);
}

}  // namespace attune
