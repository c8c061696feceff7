// A model of several tasks over data whose truth is known: when sharing helps a rare one.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/hash.h"
#include "base/rng.h"
#include "model/model.h"
#include "stat/paired_loss.h"

namespace attune {
namespace {

constexpr std::size_t kPersons = 300, kItems = 300, kTaste = 3;
using Taste = std::array<double, kTaste>;

// Persons and items have a taste in common that decides both what is clicked, often, and what is
// bought, rarely: logit of a purchase = 1.5 * (product of tastes) - 4.5, of a click the same - 1.
struct World {
  std::vector<Taste> persons, items;
  explicit World(std::uint64_t seed) {
    Rng rng(seed);
    for (auto* all : {&persons, &items}) {
      all->resize(kPersons);
      for (Taste& taste : *all) {
        for (double& number : taste) number = rng.normal();
      }
    }
  }
  double product(std::size_t person, std::size_t item) const {
    double sum = 0;
    for (std::size_t k = 0; k < kTaste; ++k) sum += persons[person][k] * items[item][k];
    return sum;
  }
};

bool happens(double logit, Rng& rng) { return rng.chance(1 / (1 + std::exp(-logit))); }

Examples rows_of(const World& world, std::size_t n, std::uint64_t seed) {
  Rng rng(seed);
  Examples rows;
  for (std::size_t r = 0; r < n; ++r) {
    const std::size_t person = rng.below(kPersons), item = rng.below(kItems);
    const double product = 1.5 * world.product(person, item);
    rows.features.push_back({static_cast<std::uint32_t>(mix64(1, person)), 1});
    rows.features.push_back({static_cast<std::uint32_t>(mix64(2, item)), 1});
    rows.fields.insert(rows.fields.end(), {0, 1});
    rows.ends.push_back(static_cast<std::uint32_t>(rows.features.size()));
    rows.labels.push_back(happens(product - 1, rng) ? 1.0F : 0.0F);
    rows.further_labels.push_back(happens(product - 4.5, rng) ? 1.0F : 0.0F);
  }
  return rows;
}

ModelOptions options_of(const std::string& kind) {
  ModelOptions options;
  options.kind = kind;
  options.bits = 12;
  options.inputs = 2;
  return options;
}

std::unique_ptr<Model> learned(const ModelOptions& options, const Examples& rows) {
  auto model = std::move(make_model(options)).value();
  std::vector<float> before(rows.size());
  for (int pass = 0; pass < 4; ++pass) model->learn(rows, before);
  return model;
}

TEST(Heads, ARareTaskIsLearnedBetterBesideAFrequentOne) {
  const World world(5);
  const Examples rows = rows_of(world, 40'000, 6), later = rows_of(world, 20'000, 7);
  Examples alone = rows;
  alone.labels = rows.further_labels;
  alone.further_labels.clear();
  for (const char* kind : {"fwfm", "deepfm", "dcnv2"}) {
    ModelOptions joint = options_of(kind);
    joint.tasks = {{"click", 1}, {"purchase", 1}};
    const auto both = learned(joint, rows), single = learned(options_of(kind), alone);
    std::vector<float> heads(2 * later.size()), of_single(later.size());
    both->predict_heads(later, heads);
    single->predict(later, of_single);
    PairedLoss loss;
    for (std::size_t r = 0; r < later.size(); ++r) {
      loss.add(double{heads[2 * r + 1]}, double{of_single[r]}, later.further_labels[r] == 1);
    }
    // The whole 95 % interval of the difference is below 0: better by more than chance.
    EXPECT_EQ(loss.verdict(), PairedLoss::Verdict::kBetter)
        << kind << ": " << *loss.log_loss() << " beside " << *loss.other_log_loss() << ", "
        << loss.interval()->low << " to " << loss.interval()->high;
    RecordProperty(kind,
                   std::to_string(*loss.log_loss()) + " " + std::to_string(*loss.other_log_loss()));
  }
}

TEST(Heads, TheLabelsOfATaskAreNoInputs) {
  const Examples rows = rows_of(World(5), 2000, 6);
  Examples other = rows;
  for (float& label : other.further_labels) label = 1 - label;
  ModelOptions joint = options_of("fwfm");
  joint.tasks = {{"click"}, {"purchase"}};
  const auto model = learned(joint, rows);
  std::vector<float> a(2 * rows.size()), b(a);
  model->predict_heads(rows, a);
  model->predict_heads(other, b);
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace attune
