#include "learn/stream_model.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/rng.h"

namespace attune {
namespace {

ModelOptions options_of(const std::string& kind) {
  ModelOptions options{.kind = kind, .bits = 10, .inputs = 8};
  if (needs_sequences(kind)) options.sequences = {{2, 3, 0}};
  return options;
}

// Rows of four fields; the first decides.
std::shared_ptr<const StreamBlock> block_of(std::uint64_t seed, int rows = 50,
                                            bool is_noise = false) {
  Rng rng(seed);
  auto block = std::make_shared<StreamBlock>();
  for (int r = 0; r < rows; ++r) {
    const auto first = static_cast<std::uint32_t>(rng.below(4));
    for (std::uint32_t f = 0; f < 4; ++f) {
      const auto id = f == 0 ? first : static_cast<std::uint32_t>(rng.below(50));
      block->rows.features.push_back({f * 1000 + id, 1});
      block->rows.fields.push_back(static_cast<std::uint16_t>(f));
    }
    block->rows.ends.push_back(static_cast<std::uint32_t>(block->rows.features.size()));
    const double p = is_noise ? 0.5 : 0.1 + 0.2 * first;
    block->rows.labels.push_back(rng.chance(p) ? 1.0F : 0.0F);
    block->rows.weights.push_back(1);
    block->live.push_back(0.4F);
    block->is_counted.push_back(1);
  }
  return block;
}

std::string bytes_of(const Model& model) {
  std::string out;
  model.encode(out);
  return out;
}

std::shared_ptr<const Model> registered(const std::string& kind) {
  auto model = make_model(options_of(kind));
  EXPECT_TRUE(model.ok());
  return std::move(model).value();
}

StreamModel::Open opener(const Model& from) {
  return [bytes = bytes_of(from)] { return decode_model(bytes); };
}

class StreamModelOf : public testing::TestWithParam<const char*> {};

// Whoever holds what serves, and whenever: in the end it has learned the same blocks in order.
TEST_P(StreamModelOf, LearnsAsTheModelWouldAloneWhoeverReads) {
  const auto start = registered(GetParam());
  StreamModel model(start);
  ASSERT_TRUE(model.learn_from(opener(*start)).ok());
  auto alone = decode_model(bytes_of(*start));
  ASSERT_TRUE(alone.ok());
  std::vector<std::shared_ptr<const Model>> held;
  Rng rng(3);
  for (std::uint64_t i = 0; i < 60; ++i) {
    const auto block = block_of(i);
    (void)model.take(block, {});
    std::vector<float> before(block->rows.size());
    (*alone)->learn(block->rows, before);
    if (rng.chance(0.5)) held.push_back(model.serving());
    if (rng.chance(0.4)) held.clear();
  }
  held.clear();
  ASSERT_TRUE(model.catch_up());
  EXPECT_EQ(model.waiting(), 0u);
  EXPECT_EQ(bytes_of(*model.newest()), bytes_of(**alone));
  EXPECT_EQ(bytes_of(*model.serving()), bytes_of(**alone));
  EXPECT_EQ(bytes_of(*start), bytes_of(*registered(GetParam())));  // and is not written to
}

INSTANTIATE_TEST_SUITE_P(Kinds, StreamModelOf,
                         testing::Values("ftrl", "fm", "fwfm", "ffm", "deepfm", "dcnv2", "gru",
                                         "mlp"));

TEST(StreamModel, WhatIsHeldDoesNotChange) {
  const auto start = registered("fwfm");
  StreamModel model(start);
  ASSERT_TRUE(model.learn_from(opener(*start)).ok());
  (void)model.take(block_of(1), {});
  const auto first = model.serving();
  const std::string bytes = bytes_of(*first);
  (void)model.take(block_of(2), {});
  const auto second = model.serving();
  EXPECT_NE(first, second);
  const std::string later = bytes_of(*second);
  EXPECT_NE(bytes, later);
  (void)model.take(block_of(3), {});  // both are held: it waits
  EXPECT_EQ(model.waiting(), 1u);
  EXPECT_EQ(bytes_of(*first), bytes);
  EXPECT_EQ(bytes_of(*second), later);
  EXPECT_EQ(model.serving(), second);
}

TEST(StreamModel, MeasuresEachRowBeforeItIsLearned) {
  const auto start = registered("ftrl");
  StreamModel model(start);
  ASSERT_TRUE(model.learn_from(opener(*start)).ok());
  for (std::uint64_t i = 0; i < 100; ++i) (void)model.take(block_of(i), {});
  const StreamMeasures& m = model.measures;
  EXPECT_EQ(m.progressive.n(), 5000u);
  EXPECT_GT(*m.progressive.auc(), 0.6);
  EXPECT_LT(*m.progressive.auc(), 0.75);  // the truth has .70: more would be looking ahead
  EXPECT_EQ(m.beside_registered.verdict(), PairedLoss::Verdict::kBetter);
  EXPECT_EQ(m.beside_champion.n(), 0u);
  EXPECT_TRUE(model.fault().empty());
  std::string bytes;
  m.encode(bytes);
  const auto back = StreamMeasures::decode(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->progressive.json(), m.progressive.json());
  EXPECT_EQ(back->beside_live.difference(), m.beside_live.difference());
  for (std::size_t cut = 0; cut < bytes.size(); cut += 7) {
    EXPECT_FALSE(StreamMeasures::decode(std::string_view(bytes).substr(0, cut)).ok());
  }
}

TEST(StreamModel, AShadowIsMeasuredAndLearnsNothing) {
  const auto start = registered("ftrl");
  StreamModel model(start);
  const auto block = block_of(1);
  const std::vector<float> champion(block->rows.size(), 0.3F);
  (void)model.take(block, champion);
  EXPECT_EQ(model.measures.beside_champion.n(), 50u);
  EXPECT_EQ(model.serving(), nullptr);
  EXPECT_EQ(model.newest(), nullptr);
}

// Steps that are far too long, on noise: it gets worse than it was.
TEST(StreamModel, IsStoppedWhenLearningMakesItWorse) {
  ModelOptions options = options_of("sgd");
  options.settings = {{"learning_rate", 2.0}};
  const auto made = make_model(options);
  ASSERT_TRUE(made.ok()) << made.error().message;
  auto start = decode_model(bytes_of(**made));
  const std::shared_ptr<const Model> shared = std::move(start).value();
  StreamModel model(shared);
  ASSERT_TRUE(model.learn_from(opener(*shared)).ok());
  for (std::uint64_t i = 0; i < 100 && model.fault().empty(); ++i) {
    (void)model.take(block_of(i, 50, true), {});
  }
  EXPECT_NE(model.fault().find("as it was registered"), std::string::npos) << model.fault();
}

TEST(StreamModel, LearnsOnWhereItIsNoBetterThanItWas) {
  const auto start = registered("ftrl");
  StreamModel model(start);
  ASSERT_TRUE(model.learn_from(opener(*start)).ok());
  for (std::uint64_t i = 0; i < 400; ++i) (void)model.take(block_of(i, 50, true), {});
  EXPECT_EQ(model.fault(), "");
}

TEST(StreamModel, KindsThatLearnAtTheEndAreRefused) {
  const auto start = registered("tree");
  StreamModel model(start);
  const Status status = model.learn_from(opener(*start));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kInvalid);
  EXPECT_EQ(status.error().message, "kind tree learns from all rows at once, not from a stream");
}

// Under the thread sanitizer: readers hold, read and let go while it learns.
TEST(StreamModel, IsReadByOthersWhileItLearns) {
  const auto start = registered("deepfm");
  StreamModel model(start);
  ASSERT_TRUE(model.learn_from(opener(*start)).ok());
  std::atomic<bool> is_over{false};
  std::atomic<int> read{0};
  const auto block = block_of(99);
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      std::vector<float> out(block->rows.size());
      while (!is_over) {
        const auto held = model.serving();
        if (!held) continue;
        held->predict(block->rows, out);
        for (const float p : out) EXPECT_TRUE(p > 0 && p < 1);
        ++read;
      }
    });
  }
  for (std::uint64_t i = 0; i < 200 || read < 50; ++i) (void)model.take(block_of(i, 20), {});
  is_over = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_TRUE(model.catch_up());
}

}  // namespace
}  // namespace attune
