#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/rng.h"
#include "model/ftrl.h"
#include "model/item_item.h"

namespace attune {
namespace {

struct PlainTwin {  // the paper's algorithm 1, in doubles
  std::map<std::uint32_t, double> z, n;
  FtrlOptions o;
  double w(std::uint32_t i) {
    if (std::abs(z[i]) <= o.l1) return 0;
    const double sign = z[i] < 0 ? -1 : 1;
    return -(z[i] - sign * o.l1) / ((o.beta + std::sqrt(n[i])) / o.alpha + o.l2);
  }
  double learn(Row row, bool y) {
    double sum = 0;
    for (const Feature& f : row) sum += w(f.hash) * f.value;
    const double p = 1 / (1 + std::exp(-sum));
    for (const Feature& f : row) {
      const double g = (p - (y ? 1 : 0)) * f.value;
      const double sigma = (std::sqrt(n[f.hash] + g * g) - std::sqrt(n[f.hash])) / o.alpha;
      z[f.hash] += g - sigma * w(f.hash);
      n[f.hash] += g * g;
    }
    return p;
  }
};

struct Example {
  std::vector<Feature> row;
  bool label;
};

std::vector<Example> separable(std::size_t n) {
  Rng rng(7);
  std::vector<Example> all;
  for (std::size_t i = 0; i < n; ++i) {
    const auto a = static_cast<std::uint32_t>(rng.below(40));
    const auto x = static_cast<float>(rng.normal());
    all.push_back({{{200, 1}, {a, 1}, {100, x}}, a % 2 == 0});
  }
  return all;
}

std::string bytes_of(const auto& model) {
  std::string out;
  model.encode(out);
  return out;
}

TEST(Ftrl, AgreesWithPlainTwin) {
  for (const double l1 : {0.0, 0.5}) {
    FtrlOptions o;
    o.l1 = l1;
    o.bits = 10;
    Ftrl model(o);
    PlainTwin twin;
    twin.o = o;
    for (const Example& e : separable(3000)) {
      ASSERT_NEAR(model.learn(e.row, e.label), twin.learn(e.row, e.label), 1e-4);
    }
    for (std::uint32_t i = 0; i < 201; ++i) ASSERT_NEAR(model.weight(i), twin.w(i), 1e-3);
  }
}

TEST(Ftrl, LossFallsAndSavedModelPredictsTheSame) {
  Ftrl model({}), same({});
  double first = 0, last = 0;
  const auto stream = separable(4000);
  for (std::size_t i = 0; i < stream.size(); ++i) {
    const auto before = stream[i].row;
    const double p = model.learn(stream[i].row, stream[i].label);
    same.learn(stream[i].row, stream[i].label);
    for (std::size_t k = 0; k < before.size(); ++k) {
      ASSERT_EQ(before[k].hash, stream[i].row[k].hash);
      ASSERT_EQ(before[k].value, stream[i].row[k].value);
    }
    const double loss = -std::log(stream[i].label ? p : 1 - p);
    if (i < 500) first += loss;
    if (i >= 3500) last += loss;
  }
  EXPECT_LT(last, first * 0.6);
  EXPECT_EQ(bytes_of(model), bytes_of(same));
  auto back = Ftrl::decode(bytes_of(model));
  ASSERT_TRUE(back.ok());
  for (const Example& e : stream) ASSERT_EQ(model.predict(e.row), back->predict(e.row));
  for (std::uint32_t i = 0; i <= model.mask(); ++i) {
    ASSERT_EQ(model.weights()[i], back->weights()[i]);
  }
  EXPECT_EQ(model.weights().used(), back->weights().used());
  for (const Example& e : stream) ASSERT_EQ(model.learn(e.row, true), back->learn(e.row, true));
  EXPECT_EQ(bytes_of(model), bytes_of(*back));
}

TEST(Ftrl, UnseenAndBrokenRowsAreSafe) {
  Ftrl model({});
  for (const Example& e : separable(100)) model.learn(e.row, e.label);
  const std::vector<Feature> unseen{{0xffffffff, 3}};
  EXPECT_EQ(model.predict(unseen), 0.5);
  EXPECT_EQ(model.predict({}), 0.5);
  const std::string before = bytes_of(model);
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), 1e30F}) {
    const std::vector<Feature> row{{200, 1}, {100, bad}};
    EXPECT_EQ(model.learn(row, true), 0.5);
    EXPECT_TRUE(std::isfinite(model.predict(row)));
  }
  EXPECT_EQ(bytes_of(model), before);
  const std::vector<Feature> large{{5, kMaxFeatureValue}};
  for (int i = 0; i < 100; ++i) model.learn(large, i % 2 == 0);
  EXPECT_TRUE(Ftrl::decode(bytes_of(model)).ok());
}

template <class Model>
void expect_refuses_damage(const std::string& bytes) {
  EXPECT_TRUE(Model::decode(bytes).ok());
  for (std::size_t i = 0; i < bytes.size(); i += 11) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_FALSE(Model::decode(damaged).ok());
    EXPECT_FALSE(Model::decode(std::string_view(bytes).substr(0, i)).ok());
  }
  std::string newer = bytes.substr(0, bytes.size() - 8);
  newer[4] = 2;
  Writer(newer).u64(hash64(newer));
  const auto refused = Model::decode(newer);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("version 2"), std::string::npos);
}

TEST(Ftrl, ACopyOfTheWeightsStaysAsItWas) {
  FtrlOptions o;
  o.bits = 12;
  Ftrl model(o);
  for (const Example& e : separable(100)) model.learn(e.row, e.label);
  const WeightTable copy = model.weights();
  std::vector<float> then;
  for (std::uint32_t i = 0; i <= model.mask(); ++i) then.push_back(copy[i]);
  for (const Example& e : separable(200)) model.learn(e.row, e.label);
  std::size_t used = 0, changed = 0;
  for (std::uint32_t i = 0; i <= model.mask(); ++i) {
    ASSERT_EQ(copy[i], then[i]);
    used += copy[i] != 0 ? 1 : 0;
    changed += copy[i] != model.weights()[i] ? 1 : 0;
  }
  EXPECT_EQ(copy.used(), used);
  EXPECT_GT(changed, 0u);
  EXPECT_EQ(WeightTable()[7], 0.0F);
}

TEST(Ftrl, RefusesDamageAndNewer) {
  FtrlOptions o;
  o.bits = 8;
  Ftrl model(o);
  for (const Example& e : separable(100)) model.learn(e.row, e.label);
  expect_refuses_damage<Ftrl>(bytes_of(model));
}

TEST(ItemItem, ScoresAsTheFormulaSays) {
  ItemItem model;
  const ItemKey a{1}, b{2}, c{3};
  const std::vector<ItemKey> first{a, b};
  model.learn(first, c);  // C[b,c] = 1, C[a,c] = 2^-0.5
  model.learn(std::vector<ItemKey>{a}, b);
  const auto best = model.score(first, 10);
  ASSERT_EQ(best.size(), 2u);
  const double half = 1 / std::sqrt(2.0), scale = std::pow(1 + half, 0.4);
  EXPECT_EQ(best[0].item, c);
  EXPECT_NEAR(best[0].count, 1.05 + 0.65 * half / scale, 1e-6);
  EXPECT_EQ(best[1].item, b);
  EXPECT_NEAR(best[1].count, 0.65 / scale, 1e-6);
  EXPECT_EQ(model.score(first, 1).size(), 1u);
  EXPECT_TRUE(model.score({}, 5).empty());
}

TEST(ItemItem, ACopyStaysAsItWas) {
  ItemItem model, twin;
  Rng rng(4);
  std::vector<std::pair<ItemItem, std::string>> copies;
  std::vector<ItemKey> recent;
  for (int i = 0; i < 3000; ++i) {
    const ItemKey item{1 + rng.below(200)};
    model.learn(recent, item);
    twin.learn(recent, item);
    recent.push_back(item);
    if (recent.size() > 5) recent.erase(recent.begin());
    if (i % 500 == 0) copies.emplace_back(model, bytes_of(twin));
  }
  for (const auto& [copy, expected] : copies) EXPECT_EQ(bytes_of(copy), expected);
  EXPECT_EQ(bytes_of(model), bytes_of(twin));
}

// The plain twin: a line is a list; when it is full its least count gives way, of equal ones that
// of the largest key.
struct PlainLine {
  float sum = 0;
  std::vector<Neighbour> all;
  void add(ItemKey item, float amount) {
    sum += amount;
    for (Neighbour& one : all) {
      if (one.item == item) return void(one.count += amount);
    }
    if (all.size() == 64) {
      all.erase(std::min_element(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return a.count != b.count ? a.count < b.count : raw(a.item) > raw(b.item);
      }));
    }
    all.push_back({item, amount});
  }
};

TEST(ItemItem, AgreesWithThePlainTwin) {
  Rng rng(9);
  ItemItem model;
  std::map<std::uint64_t, PlainLine> plain;
  std::vector<ItemKey> recent;
  for (int i = 0; i < 20'000; ++i) {
    const ItemKey item{rng.below(i % 3 == 0 ? 20 : 400)};  // 0 = none
    model.learn(recent, item);
    for (std::size_t d = 1; raw(item) != 0 && d <= std::min<std::size_t>(recent.size(), 30); ++d) {
      const ItemKey before = recent[recent.size() - d];
      if (before == item || raw(before) == 0) continue;
      plain[raw(before)].add(item, static_cast<float>(1 / std::sqrt(static_cast<double>(d))));
    }
    recent.push_back(item);
    if (recent.size() > 35) recent.erase(recent.begin());
  }
  for (auto& [key, line] : plain) {
    const auto found = model.score(std::vector<ItemKey>{ItemKey{key}}, 100);
    std::sort(line.all.begin(), line.all.end(), [](const auto& a, const auto& b) {
      return a.count != b.count ? a.count > b.count : raw(a.item) < raw(b.item);
    });
    ASSERT_EQ(found.size(), line.all.size());
    const double scale = 1.05 / std::pow(static_cast<double>(line.sum), 0.4);
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i].item, line.all[i].item) << key << " " << i;
      ASSERT_EQ(found[i].count, static_cast<float>(scale * double{line.all[i].count}));
    }
  }
}

TEST(ItemItem, KeepsTheBestAndSavesCanonically) {
  ItemItem model, same;
  Rng rng(3);
  std::vector<ItemKey> recent;
  for (int i = 0; i < 5000; ++i) {
    const ItemKey item{1 + rng.below(100)};
    model.learn(recent, item);
    same.learn(recent, item);
    recent.push_back(item);
    if (recent.size() > 40) recent.erase(recent.begin());
  }
  EXPECT_EQ(bytes_of(model), bytes_of(same));
  auto back = ItemItem::decode(bytes_of(model));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(bytes_of(model), bytes_of(*back));
  back->learn(recent, ItemKey{500});
  model.learn(recent, ItemKey{500});
  EXPECT_EQ(bytes_of(model), bytes_of(*back));
  EXPECT_LE(model.score(std::vector<ItemKey>{recent.back()}, 1000).size(), 64u);
  ItemItem small;
  small.learn(std::vector<ItemKey>{ItemKey{1}, ItemKey{2}}, ItemKey{3});
  expect_refuses_damage<ItemItem>(bytes_of(small));
}

}  // namespace
}  // namespace attune
