// Delayed feedback, simulated: answers come minutes to days after the item was shown.
#include "learn/late_answers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <queue>
#include <string>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/rng.h"
#include "learn/learner.h"

namespace attune {
namespace {

constexpr Surrogate kSomebody{7};
constexpr double kDay = 86'400;

Time at_s(double s) { return time_from_us(1'800'000'000'000'000) + seconds(s); }

// Two kinds of items, engaged with by 10 and 40 %; three engagements in four come after a mean
// of six hours, the others after a minute.
constexpr double kRates[] = {0.1, 0.4};
constexpr double kLateShare = 0.75, kMeanDelay = 6 * 3600, kWindow = 2 * kDay;

Row row_of(std::size_t item) {
  static const Feature kRows[2][2] = {{{1, 1}, {100, 1}}, {{1, 1}, {200, 1}}};
  return kRows[item];
}

struct Waits {
  double at_s = 0;
  std::size_t item = 0;
  std::uint64_t decision = 0;
  bool operator<(const Waits& other) const { return at_s > other.at_s; }
};

// A learner that is shown one item every ten seconds for so long.
class Played {
 public:
  explicit Played(double negative_after_s, std::uint64_t seed = 1)
      : learner_(FtrlOptions{.alpha = 0.05, .bits = 10}), wait_(negative_after_s), rng_(seed) {}

  void play(double until_s) {
    for (; now_ < until_s; now_ += 10) {
      while (!answers_.empty() && answers_.top().at_s <= now_) answer();
      show();
      learner_.on_tick(at_s(now_));
    }
  }

  double said(std::size_t item) const { return learner_.model().predict(row_of(item)); }
  const Learner& learner() const { return learner_; }
  Learner& learner() { return learner_; }
  void replace(Learner learner) { learner_ = std::move(learner); }

 private:
  void show() {
    const std::size_t item = rng_.chance(0.5) ? 1 : 0;
    Decision decision;
    decision.id = "d" + std::to_string(++shown_);
    decision.time = at_s(now_);
    decision.outcome_window_s = kWindow;
    decision.is_impression_served = true;
    ShownItem one;
    one.item_id = item == 0 ? "a" : "b";
    for (const Feature& f : row_of(item)) one.parts.push_back({"f", f.hash, f.value, 0});
    decision.shown.push_back(one);
    learner_.on_decision(Waiting::of(decision, wait_), kSomebody, shown_);
    if (!rng_.chance(kRates[item])) return;
    const double mean = rng_.chance(kLateShare) ? kMeanDelay : 60;
    answers_.push({now_ - mean * std::log(1 - rng_.uniform()), item, shown_});
  }
  void answer() {
    const Waits done = answers_.top();
    answers_.pop();
    Event event;
    event.verb = Verb::kClick;
    event.item_id = done.item == 0 ? "a" : "b";
    event.time = at_s(done.at_s);
    event.decision_id = "d" + std::to_string(done.decision);
    const Surrogate person[] = {kSomebody};
    learner_.on_event(event, person);
  }

  Learner learner_;
  const double wait_;
  Rng rng_;
  double now_ = 0;
  std::uint64_t shown_ = 0;
  std::priority_queue<Waits> answers_;
};

TEST(LateAnswers, WeightsUndoWhatNegativesGivenTooEarlyDo) {
  LateAnswers late;
  for (int i = 0; i < 20'000; ++i) late.add(i % 4 != 0);
  EXPECT_NEAR(late.share(), 0.75, 0.02);
  for (const double p : {0.01, 0.2, 0.9}) {
    const double d = late.share() * p;
    const double rows = 1 + d, positives = p / rows, negatives = (1 - p + d) / rows;
    // The gradient of the log loss at p, over what is learned from, is 0.
    EXPECT_NEAR(positives * late.weight(p, true) * (p - 1) + negatives * late.weight(p, false) * p,
                0, 1e-12);
  }
}

// Without provisional negatives the first days are all engagements; with them it is right at once.
TEST(LateAnswers, TheModelIsRightLongBeforeTheWindowEnds) {
  Played waits(0), provisional(600);
  waits.play(kDay);
  provisional.play(kDay);
  for (const std::size_t item : {0, 1}) {
    EXPECT_GT(waits.said(item), 0.9);  // it has seen nothing else
    EXPECT_LT(provisional.said(item), 1.25 * kRates[item]);
    EXPECT_GT(provisional.said(item), 0.6 * kRates[item]);  // a third of the answers is to come
  }
}

TEST(LateAnswers, AndIsUnbiasedInTheLongRun) {
  Played provisional(600);
  provisional.play(8 * kDay);
  for (const std::size_t item : {0, 1}) {
    EXPECT_NEAR(provisional.said(item), kRates[item], 0.1 * kRates[item]);
  }
  EXPECT_NEAR(provisional.learner().late_share(), kLateShare, 0.06);
}

// Each shown item is measured once, by what was said of it before anything was learned of it.
TEST(LateAnswers, EachRowIsCountedOnce) {
  Played played(600);
  played.play(2 * kDay);  // no window has ended
  EXPECT_EQ(played.learner().progressive().n(), played.learner().policy(Policy::kLearned).clicks);
  played.learner().on_tick(at_s(5 * kDay));  // all have
  const Learner& learner = played.learner();
  EXPECT_EQ(learner.pending(), 0u);
  EXPECT_EQ(learner.progressive().n(), static_cast<std::uint64_t>(2 * kDay / 10));
  EXPECT_EQ(learner.progressive().positives(), learner.policy(Policy::kLearned).clicks);
}

// Canonical and complete, in the middle of all this.
TEST(LateAnswers, AnEncodedLearnerGoesOnAsIfItHadNotStopped) {
  Played stopped(600, 5), whole(600, 5);
  stopped.play(kDay);
  whole.play(kDay);
  std::string bytes, again;
  stopped.learner().encode(bytes);
  auto back = Learner::decode(bytes);
  ASSERT_TRUE(back.ok()) << back.error().message;
  back->encode(again);
  EXPECT_EQ(bytes, again);
  stopped.replace(std::move(*back));
  stopped.play(3 * kDay);
  whole.play(3 * kDay);
  bytes.clear(), again.clear();
  stopped.learner().encode(bytes);
  whole.learner().encode(again);
  EXPECT_EQ(bytes, again);
}

}  // namespace
}  // namespace attune
