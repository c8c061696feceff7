#include "decide/decide.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "decide/rank_lists.h"

namespace attune {
namespace {

const Time kNow = time_from_us(1'800'000'000'000'000);

// Items i0, i1, ... of categories c0, c1, c2 in turn, with made-up counts and weights.
Published make_published(int items, bool with_weights = true) {
  Published p;
  p.version = 7;
  p.time = kNow;
  auto catalog = std::make_shared<Catalog>();
  auto counters = std::make_shared<Counters>();
  for (int i = 0; i < items; ++i) {
    const auto status = catalog->apply(
        fmt::format(R"({{"op":"put_item","item":{{"id":"i{}","category":"c{}","price":{}}}}})", i,
                    i % 3, i + 1),
        kNow - seconds(3600.0 * (items - i)));
    EXPECT_TRUE(status.ok());
    Affinity& a = counters->items.change(item_key(fmt::format("i{}", i)));
    a.shown.add(kNow, 100);
    a.engaged.add(kNow, static_cast<float>(i % 50));
    counters->all.shown.add(kNow, 100);
    counters->all.engaged.add(kNow, static_cast<float>(i % 50));
  }
  p.catalog = catalog;
  p.counters = counters;
  WeightTable weights(1 << 12);
  Rng rng(5);
  for (std::uint32_t i = 0; with_weights && i < weights.size(); ++i) {
    weights.set(i, static_cast<float>(rng.normal() * 0.2));
  }
  p.weights = std::make_shared<const WeightTable>(weights);
  rank_lists(p);
  return p;
}

Profile make_person() {
  Profile person;
  person.traits = {{"plan", "\"gold\""}};
  person.touches = {{item_key("i1"), whole_seconds(kNow - seconds(100)), Verb::kClick}};
  return person;
}

Placement plain() {
  Placement p;
  p.epsilon = 0;
  p.control_share = 0;
  return p;
}

Decision ask(const Published& p, const Placement& placement, const Profile& person, int n,
             std::uint64_t seed = 1, std::vector<std::string> ids = {}, bool is_known = true) {
  Rng rng(seed);
  auto result = decide({"ann", "default", n, std::move(ids)}, {person, is_known, 42},
                       {placement, p, kNow}, rng, "d_x");
  EXPECT_TRUE(result.ok());
  return std::move(result).value();
}

Rule make_rule(Rule::Kind kind, std::string item, std::string category = "") {
  Rule rule;
  rule.kind = kind;
  rule.item_id = std::move(item);
  rule.category = std::move(category);
  return rule;
}

TEST(Rules, PinHideBoost) {
  const Published p = make_published(12);
  Placement placement = plain();
  const Decision before = ask(p, placement, make_person(), 12);
  ASSERT_EQ(before.shown.size(), 12U);
  const std::string best = before.shown[0].item_id, last = before.shown[11].item_id;
  const std::string middle = before.shown[6].item_id;
  placement.rules = {make_rule(Rule::Kind::kHide, best), make_rule(Rule::Kind::kPin, last),
                     make_rule(Rule::Kind::kBoost, middle)};
  placement.rules[1].position = 2;
  placement.rules[2].factor = 100;
  const Decision after = ask(p, placement, make_person(), 5);
  ASSERT_EQ(after.shown.size(), 5U);
  EXPECT_EQ(after.shown[0].item_id, middle);
  EXPECT_EQ(after.shown[0].rules, std::vector<std::string>{"boost item=" + middle + " x100"});
  EXPECT_EQ(after.shown[2].item_id, last);
  EXPECT_EQ(after.shown[2].source, "pin");
  EXPECT_EQ(after.shown[2].propensity, 1);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NE(after.shown[i].item_id, best);
    EXPECT_EQ(after.shown[i].rank_by_rules, static_cast<int>(i));
  }
  EXPECT_EQ(after.others.size(), 6U);
}

TEST(Rules, CategoryCapWithPinsAndExploration) {
  const Published p = make_published(30);
  Placement placement = plain();
  placement.epsilon = 0.5;
  placement.rules = {make_rule(Rule::Kind::kMaxPerCategory, ""), make_rule(Rule::Kind::kPin, "i3")};
  placement.rules[0].limit = 2;
  placement.rules[1].position = 3;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::map<std::string, int> counts;
    const Decision d = ask(p, placement, make_person(), 10, seed);
    EXPECT_EQ(d.shown.size(), 6U);
    for (const ShownItem& s : d.shown) ++counts[p.catalog->find(s.item_id)->category];
    for (const auto& [category, count] : counts) EXPECT_LE(count, 2) << category;
  }
}

TEST(Decide, SeenWindowNeverRepeats) {
  const Published p = make_published(40);
  Placement placement = plain();
  placement.epsilon = 0.3;
  Profile person = make_person();
  std::set<std::string> all;
  for (std::uint64_t round = 0; round < 8; ++round) {
    const Decision d = ask(p, placement, person, 5, round);
    ASSERT_EQ(d.shown.size(), 5U);
    for (const ShownItem& s : d.shown) {
      EXPECT_TRUE(all.insert(s.item_id).second) << s.item_id;
      person.seen.push_back(
          {mark_of(item_key(s.item_id)), whole_seconds(kNow - seconds(60)), 0, false});
    }
  }
  EXPECT_EQ(ask(p, placement, person, 5).reason, "no eligible items");
  placement.seen_window_s = 30;
  EXPECT_EQ(ask(p, placement, person, 5).shown.size(), 5U);
}

TEST(Explore, PropensitiesAgreeWithFrequencies) {
  const Published p = make_published(4);
  Placement placement = plain();
  placement.epsilon = 0.4;
  constexpr int kRuns = 200000;
  struct Seen {
    double propensity = 0;
    int count = 0;
  };
  std::map<std::string, Seen> seen;     // by the items up to and with this place
  std::map<std::string, int> prefixes;  // by the items before
  const Profile person = make_person();
  const std::vector<std::string> none;
  Rng rng(99);
  for (int run = 0; run < kRuns; ++run) {
    const auto d =
        decide({"ann", "default", 2, none}, {person, true, 42}, {placement, p, kNow}, rng, "d_x");
    std::string path;
    for (const ShownItem& s : d->shown) {
      ++prefixes[path];
      path += s.item_id + ">";
      Seen& at = seen[path];
      if (at.count++ > 0) {
        ASSERT_EQ(at.propensity, s.propensity);
      }
      at.propensity = s.propensity;
    }
  }
  std::map<std::string, double> sums;
  for (const auto& [path, at] : seen) {
    const std::string prefix = path.substr(0, path.find('>') + 1 == path.size() ? 0 : 3);
    const double n = prefixes[prefix];
    const double error = std::sqrt(at.propensity * (1 - at.propensity) / n);
    EXPECT_NEAR(at.count / n, at.propensity, 4 * error) << path;
    sums[prefix] += at.propensity;
  }
  EXPECT_EQ(seen.size(), 4U + 12U);
  for (const auto& [prefix, sum] : sums) EXPECT_NEAR(sum, 1, 1e-12) << prefix;
}

TEST(Decide, PartsAddUpToTheLogit) {
  const Published p = make_published(20);
  const Profile person = make_person();
  const Decision d = ask(p, plain(), person, 20);
  const RowBuilder rows(default_plan(), person, *p.counters, {.placement = "default", .now = kNow});
  for (const ShownItem& s : d.shown) {
    std::vector<Feature> row;
    rows.build(*p.catalog->find(s.item_id), 0, row);
    double logit = 0, sum = 0;
    for (const Feature& f : row) {
      logit += double{(*p.weights)[f.hash]} * double{f.value};
    }
    for (const Part& part : s.parts) sum += double{part.part};
    EXPECT_NEAR(sum, logit, 1e-6);
    EXPECT_NEAR(s.p_click, 1 / (1 + std::exp(-logit)), 1e-6);
    EXPECT_FALSE(s.parts.empty());
  }
}

TEST(Decide, StoredPartsAddUpToTheChanceOfAClick) {
  const Published p = make_published(60);
  const Decision d = ask(p, plain(), make_person(), 60);
  for (const ShownItem& s : d.shown) {
    double sum = 0;
    for (const Part& part : s.parts) sum += double{part.part};
    const double logit = std::log(double{s.p_click} / (1 - double{s.p_click}));
    EXPECT_NEAR(sum, logit, 1e-6 * std::max(1.0, std::abs(logit))) << s.item_id;
  }
}

TEST(Decide, PartsAgainAreTheSameBits) {
  const Published p = make_published(20);
  const Decision d = ask(p, plain(), make_person(), 20);
  const auto again = parts_again(d, make_person(), p);
  ASSERT_EQ(again.size(), d.shown.size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    ASSERT_EQ(again[i].size(), d.shown[i].parts.size());
    for (std::size_t k = 0; k < again[i].size(); ++k) {
      EXPECT_EQ(again[i][k].hash, d.shown[i].parts[k].hash);
      EXPECT_EQ(again[i][k].value, d.shown[i].parts[k].value);
      EXPECT_EQ(again[i][k].part, d.shown[i].parts[k].part);
    }
  }
  Profile other = make_person();
  other.traits = {{"plan", "\"tin\""}};
  const auto parts = parts_again(d, other, p)[0];
  EXPECT_TRUE(std::any_of(parts.begin(), parts.end(),
                          [](const Part& part) { return part.name.starts_with("plan=tin x "); }));
}

// With caps, pins and a boost: hiding an item lets in the one its record names.
TEST(Decide, WhoWouldTakeItsPlaceIsWhoDoes) {
  const Published p = make_published(30);
  Placement placement = plain();
  placement.rules = {make_rule(Rule::Kind::kMaxPerCategory, ""), make_rule(Rule::Kind::kPin, "i3"),
                     make_rule(Rule::Kind::kBoost, "", "c1")};
  placement.rules[0].limit = 2;
  placement.rules[1].position = 1;
  placement.rules[2].factor = 1.2;
  const auto names = [](const Decision& d) {
    std::set<std::string> out;
    for (const ShownItem& s : d.shown) out.insert(s.item_id);
    return out;
  };
  for (const int n : {3, 4, 5, 6}) {
    const Decision d = ask(p, placement, make_person(), n);
    for (const ShownItem& s : d.shown) {
      Placement without = placement;
      without.rules.push_back(make_rule(Rule::Kind::kHide, s.item_id));
      std::set<std::string> expected = names(d);
      expected.erase(s.item_id);
      ASSERT_GT(s.instead, 0u) << s.item_id;
      expected.insert(d.others.at(s.instead - 1).item_id);
      EXPECT_EQ(names(ask(p, without, make_person(), n)), expected) << s.item_id;
    }
  }
}

TEST(Decide, ControlShareIsStable) {
  Rng rng(3);
  int control = 0;
  for (int i = 0; i < 10000; ++i) control += is_control(rng.next(), 0.05) ? 1 : 0;
  EXPECT_NEAR(control, 500, 4 * std::sqrt(10000 * 0.05 * 0.95));
  const Published p = make_published(10);
  Placement placement = plain();
  placement.control_share = 1;
  placement.epsilon = 0.5;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Decision d = ask(p, placement, make_person(), 10, seed);
    EXPECT_EQ(d.policy, Policy::kControl);
    EXPECT_EQ(d.reason, "control share");
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(d.shown[i].item_id, p.popular[i]->id);
      EXPECT_EQ(d.shown[i].propensity, 1);
    }
  }
}

TEST(Decide, FallbackIsLabelled) {
  const Published p = make_published(10, false);
  const Decision unknown = ask(p, plain(), Profile{}, 3, 1, {}, false);
  EXPECT_EQ(unknown.policy, Policy::kFallback);
  EXPECT_EQ(unknown.reason, "person not known: popular");
  EXPECT_EQ(unknown.shown[0].item_id, p.popular[0]->id);
  EXPECT_EQ(ask(p, plain(), Profile{}, 3).reason, "no history and no model yet: popular");
  EXPECT_EQ(ask(make_published(10), plain(), Profile{}, 3).policy, Policy::kLearned);
  // A model that says nothing leaves the order to popularity.
  EXPECT_EQ(ask(p, plain(), make_person(), 3).shown[0].item_id, p.popular[0]->id);
  Profile denied = make_person();
  denied.denied_purposes = static_cast<std::uint8_t>(Purpose::kPersonalization);
  EXPECT_EQ(ask(p, plain(), denied, 3).reason, "personalization denied: popular");
}

TEST(Decide, RequestedCandidatesAndBadN) {
  const Published p = make_published(10);
  const Decision d = ask(p, plain(), make_person(), 5, 1, {"i2", "nope", "i4", "i2"});
  ASSERT_EQ(d.shown.size(), 2U);
  EXPECT_EQ(d.shown[0].source, "request");
  EXPECT_EQ(ask(p, plain(), make_person(), 5, 1, {"nope"}).reason, "no eligible items");
  for (const int n : {0, 101, -1}) {
    Rng rng(1);
    const Profile blank;
    const Placement placement = plain();
    const auto bad =
        decide({"", "default", n, {}}, {blank, true, 1}, {placement, p, kNow}, rng, "");
    ASSERT_FALSE(bad.ok());
    EXPECT_EQ(bad.error().code, Code::kInvalid);
    EXPECT_EQ(bad.error().field, "n");
  }
}

TEST(Decide, SameSeedSameDecision) {
  const Published p = make_published(800);
  Placement placement = plain();
  placement.epsilon = 0.5;
  std::string a, b;
  encode_decision(ask(p, placement, make_person(), 10, 8), a);
  encode_decision(ask(p, placement, make_person(), 10, 8), b);
  EXPECT_EQ(a, b);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i) ask(p, placement, make_person(), 10, 8);
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  RecordProperty("us_per_decision", static_cast<int>(took.count() / 200));
  fmt::print("{:.0f} us for one decision of 500 candidates\n", took.count() / 200);
}

// How many of a slate that shows all candidates came from each source.
std::map<std::string, int> sources_of(const Published& p, const Asker& asker,
                                      const std::string& retriever = "") {
  Placement placement = plain();
  placement.retriever = retriever;
  placement.candidates = 100;
  Rng rng(1);
  const auto made = decide({"ann", "default", 100, {}}, asker, {placement, p, kNow}, rng, "d_x");
  EXPECT_TRUE(made.ok());
  std::map<std::string, int> counts;
  for (const ShownItem& shown : made->shown) ++counts[shown.source];
  return counts;
}

TEST(Candidates, EachSourceHasItsShareAndTheNextFillsWhatIsFree) {
  Published p = make_published(400);
  const std::vector<ItemKey> recent = {item_key("i1")};
  ItemItem item_item;
  for (int i = 0; i < 64; ++i) item_item.learn(recent, item_key(fmt::format("i{}", 300 + i)));
  PersonsAlike alike;
  for (std::uint64_t person = 1; person <= 3; ++person) {
    alike.learn(Surrogate{person}, item_key("i1"));
    for (std::uint64_t i = 0; i < 31; ++i) {
      alike.learn(Surrogate{person}, item_key(fmt::format("i{}", 100 * person + i)));
    }
  }
  const Profile person = make_person();
  p.persons_alike = std::make_shared<const PersonsAlike>(alike);
  using Counts = std::map<std::string, int>;
  EXPECT_EQ(sources_of(p, {person, true, 42}),
            (Counts{{"persons_alike", 60}, {"popular", 20}, {"latest", 20}}));
  p.item_item = std::make_shared<const ItemItem>(item_item);
  EXPECT_EQ(sources_of(p, {person, true, 42}),
            (Counts{{"item_item", 30}, {"persons_alike", 30}, {"popular", 20}, {"latest", 20}}));
  const Surrogate own[] = {Surrogate{1}, Surrogate{2}, Surrogate{3}};
  EXPECT_EQ(sources_of(p, {person, true, 42, own}),
            (Counts{{"item_item", 30}, {"popular", 50}, {"latest", 20}}));
  std::vector<ItemKey> keys = {item_key("i1")};
  for (int i = 200; i < 300; ++i) keys.push_back(item_key(fmt::format("i{}", i)));
  std::vector<std::uint32_t> row(keys.size());
  std::iota(row.begin(), row.end(), 0U);
  const ImplicitFactorsOptions options{.size = 8};
  const ImplicitFactors factors(Interactions({row, row}, keys.size()), options);
  p.retrievers.emplace("taste", std::make_shared<const ItemFactors>(keys, factors, options));
  EXPECT_EQ(sources_of(p, {person, true, 42}, "taste"), (Counts{{"item_item", 20},
                                                                {"persons_alike", 20},
                                                                {"factors", 20},
                                                                {"popular", 20},
                                                                {"latest", 20}}));
  EXPECT_EQ(sources_of(p, {person, true, 42}, "other"),
            (Counts{{"item_item", 30}, {"persons_alike", 30}, {"popular", 20}, {"latest", 20}}));
  EXPECT_EQ(sources_of(p, {person, false, 42}), (Counts{{"popular", 80}, {"latest", 20}}));
  Profile refusing = person;
  refusing.denied_purposes = static_cast<std::uint8_t>(Purpose::kPersonalization);
  EXPECT_EQ(sources_of(p, {refusing, true, 42}), (Counts{{"popular", 80}, {"latest", 20}}));
}

TEST(DecisionId, IsUlid) {
  Rng rng(1);
  const std::string a = new_decision_id(kNow, rng), b = new_decision_id(kNow + seconds(1), rng);
  EXPECT_EQ(a.size(), 28U);
  EXPECT_EQ(a.substr(0, 2), "d_");
  EXPECT_LT(a, b);
  EXPECT_EQ(a.find_first_of("ILOU"), std::string::npos);
}

}  // namespace
}  // namespace attune
