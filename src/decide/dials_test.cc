// The dials of a placement: what diversity and freshness do to slates, and what they leave alone.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <map>
#include <set>

#include "decide/decide.h"
#include "decide/diversity.h"
#include "decide/rank_lists.h"
#include "decide/rules.h"

namespace attune {
namespace {

const Time kNow = time_from_us(1'800'000'000'000'000);
constexpr double kDay = 86400;

// Items i0, i1, ... of categories in turn, aged by chance up to 60 days. Of each category and each
// item the model thinks something, drawn from the seed: planted tastes.
class World {
 public:
  explicit World(int items, int categories, std::uint64_t seed, double taste = 1) : rng_(seed) {
    auto catalog = std::make_shared<Catalog>();
    for (int i = 0; i < items; ++i) {
      const std::string json = fmt::format(
          R"({{"op":"put_item","item":{{"id":"i{}","category":"c{}"}}}})", i, i % categories);
      EXPECT_TRUE(catalog->apply(json, kNow - seconds(60 * kDay * rng_.uniform())).ok());
    }
    published_.catalog = catalog;
    published_.counters = std::make_shared<Counters>();
    published_.time = kNow;
    plant(taste);
    rank_lists(published_);
  }

  Decision ask(const Placement& placement, int n, std::uint64_t seed = 1) const {
    Rng rng(seed);
    return ask(placement, n, rng);
  }
  Decision ask(const Placement& placement, int n, Rng& rng) const {
    Profile person;
    person.traits = {{"plan", "\"gold\""}};
    auto made = decide({"ann", "default", n, {}}, {person, true, 42}, {placement, published_, kNow},
                       rng, "d_x");
    EXPECT_TRUE(made.ok());
    return std::move(made).value();
  }
  const Item& item(const std::string& id) const { return *published_.catalog->find(id); }

 private:
  void plant(double taste) {
    const Profile nobody;
    const RowBuilder rows(default_plan(), nobody, *published_.counters,
                          {.placement = "default", .now = kNow});
    WeightTable weights(1 << 16);
    std::map<std::string, float> of_category;
    for (const auto& item : published_.catalog->items()) {
      if (!of_category.contains(item->category)) {
        of_category[item->category] = static_cast<float>(rng_.normal() * taste);
      }
      for (const Part& part : rows.explain(*item, 0)) {
        if (part.name.starts_with("topic=")) weights.set(part.hash, of_category[item->category]);
        if (part.name.starts_with("item=")) {
          weights.set(part.hash, static_cast<float>(rng_.normal() * 0.3));
        }
        if (part.name == "bias") weights.set(part.hash, -2.5F);
      }
    }
    published_.weights = std::make_shared<const WeightTable>(weights);
  }

  Rng rng_;
  Published published_;
};

Placement with_dials(double diversity, double freshness) {
  Placement p;
  p.epsilon = 0;
  p.control_share = 0;
  p.diversity = diversity;
  p.freshness = freshness;
  return p;
}

std::map<std::string, int> categories_of(const World& world, const Decision& d) {
  std::map<std::string, int> counts;
  for (const ShownItem& s : d.shown) ++counts[world.item(s.item_id).category];
  return counts;
}

double entropy_of(const World& world, const Decision& d) {
  double bits = 0;
  for (const auto& [category, count] : categories_of(world, d)) {
    const double share = count / static_cast<double>(d.shown.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

double mean_age_days(const World& world, const Decision& d) {
  double sum = 0;
  for (const ShownItem& s : d.shown) {
    sum += static_cast<double>((kNow - world.item(s.item_id).created).count()) / 1e6 / kDay;
  }
  return sum / static_cast<double>(d.shown.size());
}

double clicks_of(const Decision& d) {
  double sum = 0;
  for (const ShownItem& s : d.shown) sum += double{s.p_click};
  return sum;
}

// Where items are alike by category alone, each swap a rising dial makes moves a place from a
// category with more of them to one with fewer: no slate's entropy falls, and its clicks do not
// rise.
TEST(Diversity, RaisesTheEntropyOfEverySlateAndItsPriceIsSeen) {
  double first = 0, last = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const World world(120, 8, seed, 1.0);
    double entropy = 0, clicks = 1e9;
    for (int step = 0; step <= 20; ++step) {
      const Decision d = world.ask(with_dials(step / 20.0, 0), 10);
      ASSERT_EQ(d.shown.size(), 10U);
      EXPECT_GE(entropy_of(world, d), entropy - 1e-12) << seed << " at " << step;
      EXPECT_LE(clicks_of(d), clicks + 1e-6) << seed << " at " << step;
      entropy = entropy_of(world, d);
      clicks = clicks_of(d);
      if (step == 0) first += entropy / 40;
      if (step == 20) last += entropy / 40;
    }
    // At 1 nothing but the number of like items counts: ten places of eight categories.
    EXPECT_NEAR(entropy, 6 * 0.1 * std::log2(10) + 2 * 0.2 * std::log2(5), 1e-9) << seed;
  }
  EXPECT_LT(first, 1.5) << "the planted tastes are strong ones";
  EXPECT_GT(last, first + 1);
}

TEST(Freshness, LowersTheMeanAgeOfEverySlateAndItsPriceIsSeen) {
  double first = 0, last = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const World world(120, 8, seed);
    double age = 1e9, clicks = 1e9;
    for (int step = 0; step <= 20; ++step) {
      const Decision d = world.ask(with_dials(0, step / 20.0), 10);
      EXPECT_LE(mean_age_days(world, d), age + 1e-9) << seed << " at " << step;
      EXPECT_LE(clicks_of(d), clicks + 1e-6) << seed << " at " << step;
      age = mean_age_days(world, d);
      clicks = clicks_of(d);
      if (step == 0) first += age / 40;
      if (step == 20) last += age / 40;
    }
  }
  EXPECT_LT(last, first / 2);
}

TEST(Freshness, IsOnTheStatedScale) {
  Item item;
  item.created = kNow - seconds(14 * kDay);
  Placement p = with_dials(0, 0.4);
  EXPECT_DOUBLE_EQ(freshness_factor(item, p, kNow), 0.6 + 0.4 * 0.25);  // two half-lives of 7 days
  p.freshness_half_life_s = 14 * kDay;
  EXPECT_DOUBLE_EQ(freshness_factor(item, p, kNow), 0.6 + 0.4 * 0.5);
  item.created = kNow + seconds(kDay);  // not yet
  EXPECT_DOUBLE_EQ(freshness_factor(item, p, kNow), 1);
  item.created = kNow - seconds(3650 * kDay);
  EXPECT_NEAR(freshness_factor(item, p, kNow), 0.6, 1e-9);
  p.freshness = 0;
  EXPECT_EQ(freshness_factor(item, p, kNow), 1);
}

// Every slate of two places, drawn often: what is stated is how often it comes, and all that can
// follow a first item add up to 1.
TEST(Diversity, PropensitiesAgreeWithFrequencies) {
  const World world(6, 2, 3);
  Placement placement = with_dials(0.8, 0.5);
  placement.epsilon = 0.4;
  constexpr int kRuns = 200000;
  struct Seen {
    double propensity = 0;
    int count = 0;
  };
  std::map<std::string, std::map<std::string, Seen>> seen;  // by the items before, then by item
  Rng rng(99);
  for (int run = 0; run < kRuns; ++run) {
    std::string before;
    for (const ShownItem& s : world.ask(placement, 2, rng).shown) {
      Seen& at = seen[before][s.item_id];
      if (at.count++ > 0) {
        ASSERT_EQ(at.propensity, s.propensity);
      }
      at.propensity = s.propensity;
      before += s.item_id;
    }
  }
  ASSERT_EQ(seen.size(), 1U + 6U);
  std::set<std::string> seconds_best;
  for (const auto& [before, next] : seen) {
    double sum = 0;
    int runs = 0;
    for (const auto& [item, at] : next) runs += at.count;
    for (const auto& [item, at] : next) {
      const double error = std::sqrt(at.propensity * (1 - at.propensity) / runs);
      EXPECT_NEAR(at.count / double(runs), at.propensity, 4 * error) << before << ">" << item;
      sum += at.propensity;
      if (!before.empty() && at.propensity > 0.5) seconds_best.insert(item);
    }
    EXPECT_NEAR(sum, 1, 1e-12) << before;
  }
  EXPECT_GT(seconds_best.size(), 1U) << "which is best second depends on the first";
}

Rule make_rule(Rule::Kind kind, std::string item, int number = 0) {
  Rule rule;
  rule.kind = kind;
  rule.item_id = std::move(item);
  rule.position = rule.limit = number;
  return rule;
}

TEST(Dials, KeepPinsHidesAndCaps) {
  const World world(60, 4, 5);
  Placement placement = with_dials(0.7, 0.5);
  placement.epsilon = 0.3;
  placement.rules = {make_rule(Rule::Kind::kPin, "i7", 2), make_rule(Rule::Kind::kHide, "i1"),
                     make_rule(Rule::Kind::kMaxPerCategory, "", 3)};
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Decision d = world.ask(placement, 10, seed);
    ASSERT_EQ(d.shown.size(), 10U);
    EXPECT_EQ(d.shown[2].item_id, "i7");
    EXPECT_EQ(d.shown[2].propensity, 1);
    for (const auto& [category, count] : categories_of(world, d)) EXPECT_LE(count, 3) << category;
    for (const ShownItem& s : d.shown) EXPECT_NE(s.item_id, "i1");
  }
}

TEST(Dials, TheRecordSaysWhatEachDid) {
  const World world(60, 3, 5);
  const Decision plain = world.ask(with_dials(0, 0), 6);
  const Decision d = world.ask(with_dials(0.5, 0.5), 6);
  EXPECT_FALSE(plain.has_dials);
  ASSERT_TRUE(d.has_dials);
  std::map<std::string, int> above;
  bool has_fallen = false;
  for (std::size_t place = 0; place < d.shown.size(); ++place) {
    const ShownItem& s = d.shown[place];
    const Item& item = world.item(s.item_id);
    const int like = above[item.category]++;
    EXPECT_NEAR(double{s.diversity}, std::pow(0.5, like), 1e-7);
    EXPECT_NEAR(double{s.score}, double{s.p_click} * double{s.freshness}, 1e-6);
    EXPECT_EQ(s.rank_by_diversity, static_cast<int>(place));
    ASSERT_FALSE(s.rules.empty());
    EXPECT_TRUE(s.rules[0].starts_with("freshness x")) << s.rules[0];
    ASSERT_EQ(s.rules.size(), like > 0 ? 2U : 1U);
    if (like == 0) continue;
    const std::string reason =
        fmt::format("same category as {} item{} above", like, like > 1 ? "s" : "");
    EXPECT_TRUE(s.rules[1].starts_with(fmt::format("diversity x{:.3g}: ", std::pow(0.5, like))))
        << s.rules[1];
    EXPECT_TRUE(s.rules[1].ends_with(reason)) << s.rules[1];
    has_fallen |= s.rules[1].find(": placed below i") != std::string::npos;
  }
  EXPECT_TRUE(has_fallen);
  std::string bytes, again;
  encode_decision(d, bytes);
  const auto back = decode_decision(bytes);
  ASSERT_TRUE(back.ok());
  encode_decision(*back, again);
  EXPECT_EQ(bytes, again);
  EXPECT_EQ(decision_json(*back, true), decision_json(d, true));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(decode_decision(std::string_view(bytes).substr(0, cut)).ok());
  }
}

// Hiding an item lets in the one its record names.
TEST(Dials, WhoWouldTakeItsPlaceIsWhoDoes) {
  const auto names = [](const Decision& d) {
    std::set<std::string> out;
    for (const ShownItem& s : d.shown) out.insert(s.item_id);
    return out;
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const World world(90, 5, seed);
    Placement placement = with_dials(0.4, 0.3);
    placement.rules = {make_rule(Rule::Kind::kMaxPerCategory, "", 4)};
    const Decision d = world.ask(placement, 8);
    for (const ShownItem& s : d.shown) {
      Placement without = placement;
      without.rules.push_back(make_rule(Rule::Kind::kHide, s.item_id));
      std::set<std::string> expected = names(d);
      expected.erase(s.item_id);
      ASSERT_GT(s.instead, 0U);
      expected.insert(d.others.at(s.instead - 1).item_id);
      EXPECT_EQ(names(world.ask(without, 8)), expected) << s.item_id;
      EXPECT_GT(s.instead_score, 0);
      EXPECT_LE(s.instead_score, s.score);
    }
  }
}

TEST(Likeness, IsByCategoryMakerTagsAndVector) {
  const char* const items[] = {
      R"("id":"a","category":"sport","brand":"acme")",
      R"("id":"b","category":"sport")",
      R"("id":"c","category":"news","attributes":{"author":"acme"})",
      R"("id":"d","tags":["sport","red"])",
      R"("id":"e","category":"x","vector":[1,0,0,0,0,0,0,0,0,1])",
      R"("id":"f","category":"y","vector":[1,0,0,0,0,0,0,0,0,0])",
      R"("id":"g","category":"z","vector":[0,1,0,0,0,0,0,0,0,0])",
      R"("id":"h","category":"w","vector":[0,0,0])",
  };
  Catalog catalog;
  std::vector<Candidate> all;
  for (const char* item : items) {
    const std::string json = fmt::format(R"({{"op":"put_item","item":{{{}}}}})", item);
    ASSERT_TRUE(catalog.apply(json, kNow).ok()) << json;
    Candidate c;
    c.item = catalog.items()[catalog.items().size() - 1].get();
    c.rank_by_boosts = static_cast<std::int32_t>(all.size());
    c.score = 0.5;
    all.push_back(c);
  }
  Likeness likeness(all);
  const auto by = [&](std::size_t a, std::size_t b) {
    EXPECT_EQ(likeness.to(a)[b], likeness.between(a, b).share);
    EXPECT_EQ(likeness.to(b)[a], likeness.between(a, b).share);
    return likeness.between(a, b).by;
  };
  EXPECT_EQ(by(0, 1), Alike::kCategory);
  EXPECT_EQ(by(0, 2), Alike::kMaker);
  EXPECT_EQ(likeness.between(0, 2).share, 1);
  EXPECT_EQ(by(0, 3), Alike::kTags);
  EXPECT_FLOAT_EQ(likeness.between(0, 3).share, 0.5F);  // "sport" of "sport" and "red"
  EXPECT_EQ(by(4, 5), Alike::kVector);
  EXPECT_NEAR(double{likeness.between(4, 5).share}, 2 / std::sqrt(2.0) - 1, 1e-6);
  EXPECT_EQ(by(5, 6), Alike::kNot);  // at right angles
  EXPECT_EQ(by(6, 7), Alike::kNot);  // of no length, and of another size
  EXPECT_EQ(by(1, 2), Alike::kNot);
}

TEST(Dials, CostLittle) {
  const World world(500, 20, 8);
  const auto time_of = [&](const Placement& placement) {
    double best_us = 1e9;
    for (int round = 0; round < 5; ++round) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < 50; ++i) world.ask(placement, 10);
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - start;
      best_us = std::min(best_us, took.count() / 50);
    }
    return best_us;
  };
  fmt::print("us for one decision of 500 candidates, 10 shown: {:.0f} without dials",
             time_of(with_dials(0, 0)));
  for (const double dial : {0.25, 0.5, 1.0}) {
    fmt::print(", {:.0f} at {}", time_of(with_dials(dial, dial)), dial);
  }
  fmt::print("\n");
}

}  // namespace
}  // namespace attune
