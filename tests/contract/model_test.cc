// What every kind of model keeps, hashed and collision-free (River's and scikit-learn's habit).
#include "model/model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/rng.h"

namespace attune {
namespace {

constexpr std::size_t kFields = 5;

struct Case {
  std::string name;
  ModelOptions options;
  std::size_t threads = 1;
};
void PrintTo(const Case& of, std::ostream* out) { *out << of.name; }

bool learns_on_threads(const ModelOptions& options) {
  const auto model = make_model(options);
  return model.ok() && (*model)->use_threads({2}).ok();
}

// Of what fields 1 and 2 hold, as of fields 3 and 0.
const std::vector<SequenceField> kSequences{{1, 3, 0x80000001U}, {2, 0, 0}};

std::vector<Case> made_cases() {
  std::vector<Case> all;
  for (const ModelKind& kind : model_kinds()) {
    ModelOptions o;
    o.kind = kind.name;
    o.bits = 12;
    o.inputs = kFields;
    if (o.kind == "mlp") o.settings = {{"learning_rate", 0.01}, {"hidden", 16}};
    if (o.kind == "sgd" || o.kind == "adam") o.settings = {{"learning_rate", 0.05}};
    if (o.kind == "trees") o.settings = {{"rounds", 60}};
    if (o.kind == "forest") o.settings = {{"trees", 60}};
    if (kind.needs_sequences) {
      o.sequences = kSequences;
      o.settings = {{"k", 8}};  // as the others
    }
    all.push_back({o.kind, o});
    if (kind.takes_sequences && !kind.needs_sequences) {
      ModelOptions of_sequences = o;
      of_sequences.sequences = kSequences;
      all.push_back({o.kind + "_of_sequences", of_sequences});
    }
    if (kind.takes_tasks) {
      ModelOptions joint = o;
      joint.tasks = {{"like", 1}, {"purchase", 2}, {"hide", 0.5}};
      joint.second_loss = {"pairs", 0.05};
      all.push_back({o.kind + "_of_three_tasks", joint});
      all.push_back({o.kind + "_of_three_tasks_on_2_threads", joint, 2});
    }
    if (o.kind == "mlp") {
      o.settings = {{"k", 8}, {"learning_rate", 0.01}};
      all.push_back({"mlp_over_vectors", o});
      continue;
    }
    if (is_tree_kind(o.kind)) {
      o.settings.emplace_back("value", 1);
      all.push_back({o.kind + "_of_a_number", o});
      continue;
    }
    for (const std::size_t threads : {2, 3}) {
      if (!learns_on_threads(o)) break;
      all.push_back({o.kind + "_on_" + std::to_string(threads) + "_threads", o, threads});
    }
    o.collision_free = true;
    all.push_back({o.kind + "_collision_free", o});
    o.admit_after = 2;
    o.expire_rows = 1000;
    o.memory_bytes = 30'000;
    all.push_back({o.kind + "_admission_expiry_limit", o});
  }
  return all;
}

// Made once: ctest starts this program for each test.
const std::vector<Case>& cases() {
  static const std::vector<Case> all = made_cases();
  return all;
}

std::vector<Case> cases_where(bool (*is_wanted)(const Case& of)) {
  std::vector<Case> all = cases();
  std::erase_if(all, [&](const Case& of) { return !is_wanted(of); });
  return all;
}

void add_row(Examples& to, const std::vector<Feature>& features, float label, float weight = 1) {
  for (std::size_t i = 0; i < features.size(); ++i) {
    to.features.push_back(features[i]);
    to.fields.push_back(static_cast<std::uint16_t>(i % kFields));
  }
  to.labels.push_back(label);
  const bool is_known = std::isfinite(label) && label <= 1;
  to.further_labels.push_back(is_known ? 1 - label : NAN);  // of a second task, the opposite
  to.further_labels.push_back(NAN);                         // of a third nothing is known
  to.weights.push_back(weight);
  to.ends.push_back(static_cast<std::uint32_t>(to.features.size()));
}

// The label is what the first field says; the second is noise, the third a number.
Examples separable(std::size_t rows, std::uint64_t seed = 7) {
  Rng rng(seed);
  Examples all;
  for (std::size_t r = 0; r < rows; ++r) {
    const bool label = rng.chance(0.4);
    const std::uint32_t said = (label ? 0x80000001U : 0x40000002U);
    const auto noise = static_cast<std::uint32_t>(hash64(std::to_string(rng.below(300))));
    add_row(all,
            {{said, label ? 1.0F : -1.0F},
             {noise, 1},
             {0x1234567, static_cast<float>(rng.normal())},
             {0, 1}},
            label ? 1.0F : 0.0F);
  }
  return all;
}

std::unique_ptr<Model> make(const Case& of) {
  auto model = make_model(of.options);
  EXPECT_TRUE(model.ok()) << model.error().message;
  EXPECT_TRUE((*model)->use_threads({of.threads}).ok());
  return std::move(model).value();
}

// What was said of each row before it was learned from.
std::vector<float> learn(Model& model, const Examples& rows) {
  std::vector<float> before(rows.size());
  model.learn(rows, before);
  const Status finished = model.finish();
  EXPECT_TRUE(finished.ok()) << finished.error().message;
  return before;
}

std::vector<float> predict(const Model& model, const Examples& rows) {
  std::vector<float> out(rows.size());
  model.predict(rows, out);
  return out;
}

std::string bytes_of(const Model& model) {
  std::string out;
  model.encode(out);
  return out;
}

double loss(std::span<const float> predicted, std::span<const float> labels) {
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) sum += std::pow(predicted[i] - labels[i], 2);
  return sum / static_cast<double>(labels.size());
}

class ModelContract : public testing::TestWithParam<Case> {
 protected:
  const ModelOptions& options() const { return GetParam().options; }
};
// What only some keep; which, is at the end.
class AtTheEnd : public ModelContract {};
class OnThreads : public ModelContract {};
class OfTasks : public ModelContract {};
class Weighted : public ModelContract {};

TEST_P(ModelContract, LearningLeavesItsInputUnchanged) {
  const auto model = make(GetParam());
  const Examples rows = separable(300);
  Examples shown = rows;
  learn(*model, shown);
  EXPECT_EQ(shown.labels, rows.labels);
  EXPECT_EQ(shown.weights, rows.weights);
  EXPECT_EQ(shown.ends, rows.ends);
  EXPECT_EQ(shown.fields, rows.fields);
  for (std::size_t i = 0; i < rows.features.size(); ++i) {
    ASSERT_EQ(shown.features[i].hash, rows.features[i].hash);
    ASSERT_EQ(shown.features[i].value, rows.features[i].value);
  }
}

TEST_P(ModelContract, LossFallsOnASeparableStream) {
  const auto model = make(GetParam());
  const Examples rows = separable(4000);
  const auto before = learn(*model, rows);
  const auto later = model->learns_at_end() ? predict(*model, rows) : before;
  const std::span<const float> first(before), last(later), y(rows.labels);
  EXPECT_LT(loss(last.last(500), y.last(500)), 0.5 * loss(first.first(100), y.first(100)));
}

TEST_P(ModelContract, ASavedModelPredictsBitForBitAndGoesOnEqually) {
  const auto model = make(GetParam());
  learn(*model, separable(1500));
  auto back = decode_model(bytes_of(*model));
  ASSERT_TRUE(back.ok()) << back.error().message;
  ASSERT_TRUE((*back)->use_threads({GetParam().threads}).ok());
  EXPECT_EQ((*back)->options().settings, model->options().settings);
  EXPECT_EQ((*back)->options().sequences, model->options().sequences);
  EXPECT_EQ(bytes_of(**back), bytes_of(*model));
  const Examples next = separable(1500, 8);
  EXPECT_EQ(predict(**back, next), predict(*model, next));
  EXPECT_EQ(learn(**back, next), learn(*model, next));
  EXPECT_EQ(bytes_of(**back), bytes_of(*model));
  EXPECT_EQ((*back)->counts().rows, model->counts().rows);
}

// A kind that learns at the end says the same of every row until then, and is saved without what
// it has gathered.
TEST_P(AtTheEnd, WhatIsGatheredShowsWhenItIsFinished) {
  const auto model = make(GetParam());
  ASSERT_TRUE(model->learns_at_end());
  learn(*model, separable(1000));
  const std::string finished = bytes_of(*model);
  const Examples more = separable(1000, 8);
  std::vector<float> before(more.size());
  const auto said = predict(*model, more);
  model->learn(more, before);
  EXPECT_EQ(before, said);
  EXPECT_EQ(predict(*model, more), said);
  EXPECT_EQ(bytes_of(*model), finished);
  ASSERT_TRUE(model->finish().ok());
  EXPECT_NE(bytes_of(*model), finished);
  const auto fresh = make(GetParam());
  learn(*fresh, more);
  EXPECT_EQ(bytes_of(*model), bytes_of(*fresh));
}

TEST_P(ModelContract, TheSameSeedGivesTheSameBits) {
  const auto one = make(GetParam()), two = make(GetParam());
  const Examples rows = separable(1000);
  EXPECT_EQ(learn(*one, rows), learn(*two, rows));
  EXPECT_EQ(bytes_of(*one), bytes_of(*two));
}

// What several threads learn apart is brought together: more than one of them knows alone.
TEST_P(OnThreads, LearnBetterThanEachOnItsOwnRows) {
  const auto several = make(GetParam()), one = make({"", options()}), alone = make({"", options()});
  const Examples rows = separable(3000), later = separable(1000, 8);
  learn(*several, rows);
  learn(*one, rows);
  learn(*alone, separable(3000 / GetParam().threads));
  const auto a = predict(*several, later), b = predict(*one, later), c = predict(*alone, later);
  double distance = 0;
  for (std::size_t r = 0; r < a.size(); ++r) distance += std::abs(a[r] - b[r]);
  EXPECT_LT(distance / static_cast<double>(a.size()), 0.05);
  EXPECT_LT(loss(a, later.labels), loss(c, later.labels));
  EXPECT_EQ(several->counts().rows, one->counts().rows);
}

// Rows of a table that threads share are read and written in no order, so ThreadSanitizer is to see
// but the one test where none are shared.
class Hogwild : public testing::TestWithParam<Case> {};

TEST_P(Hogwild, LearnsWhatOneThreadLearns) {
  const auto one = make({"", GetParam().options});
  const Examples rows = separable(6000), later = separable(1000, 8);
  learn(*one, rows);
  const std::vector<float> by_one = predict(*one, later);
  const auto several = make({"", GetParam().options});
  ASSERT_TRUE(several->use_threads({GetParam().threads, true}).ok());
  const std::vector<float> before = learn(*several, rows), after = predict(*several, later);
  for (const float p : before) ASSERT_TRUE(p >= 0 && p <= 1);
  double distance = 0;
  for (std::size_t r = 0; r < after.size(); ++r) distance += std::abs(after[r] - by_one[r]);
  EXPECT_LT(distance / static_cast<double>(after.size()), 0.05);
  EXPECT_LT(loss(after, later.labels), 0.1);
  EXPECT_EQ(several->counts().rows, one->counts().rows);
}

// One thread learns first, here a mini-batch at a time from what cannot be known; then each has the
// rows of the ids used most for itself, here of all.
TEST_P(Hogwild, SharesNoneOfTheIdsUsedMost) {
  const Examples rows = separable(6000);
  std::array<std::string, 3> learned;
  for (std::string& bytes : learned) {
    const auto model = make({"", GetParam().options});
    ASSERT_TRUE(model->use_threads({GetParam().threads, true}).ok());
    Rng rng(3);
    for (std::uint64_t i = 0; i < 150; ++i) {
      Examples few = separable(32, i);
      for (float& label : few.labels) label = rng.chance(0.5) ? 1.0F : 0.0F;
      learn(*model, few);
    }
    const std::uint64_t taken = model->counts().rows;
    learn(*model, rows);
    EXPECT_EQ(model->counts().rows, taken);
    bytes = bytes_of(*model);
  }
  EXPECT_EQ(learned[0], learned[1]);
  EXPECT_EQ(learned[0], learned[2]);
}

TEST_P(Hogwild, IsSavedAndGoesOnAlone) {
  const auto model = make({"", GetParam().options});
  ASSERT_TRUE(model->use_threads({GetParam().threads, true}).ok());
  learn(*model, separable(3000));
  const std::string saved = bytes_of(*model);
  ASSERT_TRUE(model->use_threads({1}).ok());
  EXPECT_EQ(bytes_of(*model), saved);
  const auto back = decode_model(saved);
  ASSERT_TRUE(back.ok()) << back.error().message;
  const Examples next = separable(1000, 8);
  EXPECT_EQ(predict(**back, next), predict(*model, next));
  EXPECT_EQ(learn(**back, next), learn(*model, next));
  ASSERT_TRUE((*back)->use_threads({GetParam().threads, true}).ok());
  EXPECT_EQ(bytes_of(**back), bytes_of(*model));
}

TEST_P(ModelContract, HasOneThreadAndNeverNone) {
  const auto model = make(GetParam());
  EXPECT_TRUE(model->use_threads({1}).ok());
  EXPECT_FALSE(model->use_threads({0}).ok());
  EXPECT_FALSE(model->use_threads({kMostThreads + 1}).ok());
}

TEST_P(OnThreads, CanBeHadAndEndedAtAnyTime) {
  const auto often = make(GetParam()), once = make(GetParam());
  const Examples first = separable(700), second = separable(700, 8);
  learn(*often, first);
  ASSERT_TRUE(often->use_threads({1}).ok());
  ASSERT_TRUE(often->use_threads({GetParam().threads}).ok());
  learn(*often, second);
  learn(*once, first);
  learn(*once, second);
  EXPECT_EQ(bytes_of(*often), bytes_of(*once));
}

TEST_P(ModelContract, WhatWasPredictedBeforeLearningIsWhatPredictSays) {
  const auto model = make(GetParam());
  learn(*model, separable(512));
  Examples next;
  add_row(next, {{0x80000001U, 1}, {0, 1}, {0x1234567, 0.5F}}, 1);
  const auto said = predict(*model, next);
  EXPECT_FLOAT_EQ(learn(*model, next)[0], said[0]);
}

TEST_P(ModelContract, UnseenFeaturesAndEmptyRowsAreSafe) {
  const auto model = make(GetParam());
  learn(*model, {});
  learn(*model, separable(200));
  Examples odd;
  add_row(odd, {}, 0);
  add_row(odd, {{0xfffffffeU, 3}, {0xffffffffU, -3}}, 0);
  add_row(odd, std::vector<Feature>(1000, Feature{42, 1}), 1);
  for (const float p : predict(*model, odd)) EXPECT_TRUE(std::isfinite(p));
  for (const float p : learn(*model, odd)) EXPECT_TRUE(std::isfinite(p));
  EXPECT_TRUE(predict(*model, {}).empty());
}

TEST_P(ModelContract, TheOrderOfFeaturesDoesNotMatter) {
  Case of = GetParam();
  if (of.threads > 1 && !of.options.tasks.empty()) {
    // Without Adam: where a slope is little more than rounding its step is a whole one.
    of.options.settings.emplace_back("dense_rate", 0);
  }
  const auto one = make(of), two = make(of);
  const Examples rows = separable(500);
  Examples turned = rows;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto begin = static_cast<std::ptrdiff_t>(rows.begin_of(r)),
               end = std::ptrdiff_t{rows.ends[r]};
    std::reverse(turned.features.begin() + begin, turned.features.begin() + end);
    std::reverse(turned.fields.begin() + begin, turned.fields.begin() + end);
  }
  const auto a = learn(*one, rows), b = learn(*two, turned);
  for (std::size_t r = 0; r < a.size(); ++r) ASSERT_NEAR(a[r], b[r], 1e-5);
}

TEST_P(ModelContract, BrokenRowsTeachNothing) {
  const auto model = make(GetParam());
  learn(*model, separable(300));
  const std::string before = bytes_of(*model);
  const float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();
  const std::vector<Feature> fine{{0x80000001U, 1}, {12345, 1}};
  Examples bad;
  for (const float value : {nan, inf, -inf, 2e6F}) {
    add_row(bad, {{0x80000001U, 1}, {0x1234567, value}}, 1);
  }
  for (const float label : {nan, inf}) add_row(bad, fine, label);
  if (model->is_probability()) add_row(bad, fine, 1.5F);
  for (const float weight : {nan, inf, 0.0F, -1.0F}) add_row(bad, fine, 1, weight);
  for (const float p : learn(*model, bad)) EXPECT_TRUE(std::isfinite(p));
  for (const float p : predict(*model, bad)) EXPECT_TRUE(std::isfinite(p));
  EXPECT_EQ(bytes_of(*model), before);
}

TEST_P(Weighted, AWeightOfTwoIsARowTwice) {
  Case same = GetParam();
  if (!options().tasks.empty()) {  // without what compares rows, and what learns by Adam
    same.options.second_loss = {};
    same.options.settings = {{"dense_rate", 0}, {"pair_rate", 0}};
  }
  const auto heavy = make(same), twice = make(same);
  const Examples rows = separable(2000);
  Examples heavy_rows = rows, twice_rows;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    heavy_rows.weights[r] = 2;
    const std::vector<Feature> features(rows.row(r).begin(), rows.row(r).end());
    for (int i = 0; i < 2; ++i) add_row(twice_rows, features, rows.labels[r]);
  }
  learn(*heavy, heavy_rows);
  learn(*twice, twice_rows);
  const auto a = predict(*heavy, rows), b = predict(*twice, rows);
  double distance = 0;
  for (std::size_t r = 0; r < a.size(); ++r) distance += std::abs(a[r] - b[r]);
  EXPECT_LT(distance / static_cast<double>(a.size()), 0.03);
}

TEST_P(ModelContract, PartsAndBiasSumToTheLogit) {
  const auto model = make(GetParam());
  const Examples rows = separable(2000);
  learn(*model, rows);
  const auto p = predict(*model, rows);
  for (std::size_t r = 0; r < 200; ++r) {
    const auto parts = model->parts(rows.row(r), rows.fields_of(r));
    if (parts.empty()) return;                                  // has no exact ones
    const std::size_t absent = model->learns_at_end() ? 1 : 0;  // what a row lacks counts too
    ASSERT_EQ(parts.size(), rows.row(r).size() + absent);
    double sum = model->bias(), size = std::abs(sum);
    for (const float part : parts) {
      sum += part;
      size += std::abs(part);
    }
    if (model->adds_logits()) sum = 1 / (1 + std::exp(-sum));
    ASSERT_NEAR(sum, p[r], 1e-6 * std::max(size, 1.0));
  }
}

TEST_P(ModelContract, TheFirstHeadIsThePrediction) {
  const auto model = make(GetParam());
  learn(*model, separable(500));
  const Examples rows = separable(300, 8);
  const auto first = predict(*model, rows);
  const std::size_t heads = model->heads();
  ASSERT_EQ(heads, std::max<std::size_t>(options().tasks.size(), 1));
  std::vector<float> all(heads * rows.size());
  model->predict_heads(rows, all);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t h = 0; h < heads; ++h) ASSERT_TRUE(std::isfinite(all[r * heads + h]));
    ASSERT_EQ(all[r * heads], first[r]);
  }
}

TEST_P(OfTasks, EachHeadLearnsItsOwnLabel) {
  const auto model = make(GetParam());
  for (int pass = 0; pass < 5; ++pass) learn(*model, separable(2000));
  const Examples rows = separable(500, 8);
  const std::size_t heads = model->heads();
  std::vector<float> all(heads * rows.size());
  model->predict_heads(rows, all);
  double wrong = 0, wrong_second = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    wrong += std::abs(double{all[r * heads]} - double{rows.labels[r]});
    wrong_second += std::abs(double{all[r * heads + 1]} - (1 - double{rows.labels[r]}));
  }
  EXPECT_LT(wrong / 500, 0.1);
  EXPECT_LT(wrong_second / 500, 0.1);
  const JointParts parts = model->joint_parts();
  ASSERT_EQ(parts.tasks.size(), 3U);
  EXPECT_EQ(parts.tasks[0].rows, 10'000);
  EXPECT_EQ(parts.tasks[2].rows, 0);
  EXPECT_EQ(parts.tasks[1].weight, 2);
  ASSERT_TRUE(parts.second.has_value());
  EXPECT_GT(parts.second->rows, 0);
  EXPECT_NEAR(parts.total(),
              parts.tasks[0].mean() + 2 * parts.tasks[1].mean() + 0.05 * parts.second->mean(),
              1e-12);
}

TEST_P(ModelContract, DamagedAndNewerBytesAreRefused) {
  const auto model = make(GetParam());
  learn(*model, separable(20));
  const std::string bytes = bytes_of(*model);
  for (std::size_t i = 0; i < bytes.size(); i += 1 + bytes.size() / 97) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_FALSE(decode_model(damaged).ok());
    EXPECT_FALSE(decode_model(std::string_view(bytes).substr(0, i)).ok());
  }
  std::string newer = bytes.substr(0, bytes.size() - 8);
  newer[4] = 9;
  Writer(newer).u64(hash64(newer));
  const auto refused = decode_model(newer);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("version 9, this program reads versions 1 to 4"),
            std::string::npos);
}

std::string name_of(const testing::TestParamInfo<Case>& of) { return of.param.name; }

INSTANTIATE_TEST_SUITE_P(Kinds, ModelContract, testing::ValuesIn(cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Kinds, AtTheEnd, testing::ValuesIn(cases_where([](const Case& of) {
                           return is_tree_kind(of.options.kind);
                         })),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Kinds, OnThreads, testing::ValuesIn(cases_where([](const Case& of) {
                           return of.threads > 1;
                         })),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Kinds, Hogwild, testing::ValuesIn(cases_where([](const Case& of) {
                           return of.threads > 1;
                         })),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Kinds, OfTasks, testing::ValuesIn(cases_where([](const Case& of) {
                           return !of.options.tasks.empty();
                         })),
                         name_of);
// Not those whose steps do not grow with the gradient (Adam), whose trees draw their rows, and that
// see an id twice in two rows.
INSTANTIATE_TEST_SUITE_P(Kinds, Weighted, testing::ValuesIn(cases_where([](const Case& of) {
                           static const std::set<std::string> others{
                               "adam",     "mlp", "wide_deep", "deepfm", "dcnv2",
                               "finalmlp", "din", "gru",       "sasrec", "forest"};
                           return !others.contains(of.options.kind) && of.options.admit_after == 1;
                         })),
                         name_of);

}  // namespace
}  // namespace attune
