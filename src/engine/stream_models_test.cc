// Registered models that follow the stream: they learn, challenge and are told apart.
#include "engine/stream_models.h"

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "engine/test_registry.h"

namespace attune {
namespace {

class Stream : public Registry {
 protected:
  void promote(const std::string& path) {
    ASSERT_TRUE(engine_->promote_model("ranker", registered(path), "").ok());
    ask_for_model();
  }
  // Until all that came has been learned from, and is published.
  void settle() {
    ASSERT_TRUE(engine_->checkpoint().ok());
    tick();
    tick();
  }
  // Of the same items, seen or not.
  DecideRequest forty_for(const std::string& who) const {
    DecideRequest request = feed_for(who, 40);
    for (int i = 0; i < 40; ++i) request.candidates.push_back("i" + std::to_string(i));
    return request;
  }
  std::map<std::string, float> scores(const std::string& who = "person-2") {
    std::map<std::string, float> out;
    const auto decision = engine_->decide(forty_for(who));
    EXPECT_TRUE(decision.ok());
    if (!decision.ok()) return out;
    for (const ShownItem& shown : decision->shown) out[shown.item_id] = shown.p_click;
    EXPECT_EQ(out.size(), 40u);
    return out;
  }
  std::string beside_promoted() {
    const auto compared = engine_->compare_model("ranker");
    EXPECT_TRUE(compared.ok());
    const auto at = compared->rfind("\"beside_promoted\":");
    return at == std::string::npos ? *compared : compared->substr(at);
  }
  bool has(const std::string& text) {
    return engine_->learning_json().find(text) != std::string::npos;
  }
};

TEST_F(Stream, APromotedVersionGoesOnLearning) {
  for (const char* kind : {"fm", "ffm", "deepfm"}) {
    const std::uint32_t number = registered(trained(kind));
    ASSERT_TRUE(engine_->promote_model("ranker", number, "").ok());
    if (number == 1) ask_for_model();
    const std::string name = "ranker@" + std::to_string(number);
    EXPECT_EQ(decided().model, name);
    ASSERT_TRUE(engine_->teach_model("ranker", number, true, "").ok());
    play(20);
    settle();
    const Decision learned = decided();
    EXPECT_EQ(learned.model.rfind(name + "+", 0), 0u) << learned.model;
    expect_explained(learned);
    ASSERT_TRUE(engine_->teach_model("ranker", number, false, "enough").ok());
    tick();
    EXPECT_EQ(decided().model, name);
  }
  const auto& steps = engine_->catalog()->models().find("ranker")->steps;
  EXPECT_EQ(steps.back().what, ModelStep::What::kStopLearning);
  EXPECT_EQ(steps.back().reason, "enough");
}

TEST_F(Stream, RowsOfDecisionsByALearningModelAreVerified) {
  promote(trained("fwfm"));
  ASSERT_TRUE(engine_->teach_model("ranker", 1, true, "").ok());
  play(20);
  settle();
  ASSERT_NE(decided().model.find('+'), std::string::npos);
  const auto report = engine_->verify(2);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
  EXPECT_GT(report->rows.rows, 200u);
}

// From what is stored, and from what the journal gives again after it.
TEST_F(Stream, ARestartGoesOnWhereItWas) {
  promote(trained("fwfm"));
  ASSERT_TRUE(engine_->teach_model("ranker", 1, true, "").ok());
  play(20);  // ends with a checkpoint
  settle();
  const std::map<std::string, float> stored = scores();
  restart();
  settle();
  EXPECT_EQ(scores(), stored);
  for (int i = 0; i < 10; ++i) {
    (void)decided("person-4");
    tick();
  }
  now_ += seconds(7200);
  tick();
  settle();
  const std::map<std::string, float> later = scores();
  EXPECT_NE(later, stored);
  std::filesystem::remove_all(folder_.workspace() + "/stream");  // as if it had never been stored
  restart();
  settle();
  EXPECT_NE(scores(), later);  // it begins as registered, and lacks what no journal tail holds
}

// The journal's tail gives the outcomes again that were learned after the last checkpoint.
TEST_F(Stream, WhatWasLearnedAfterTheCheckpointIsLearnedAgain) {
  promote(trained("ftrl"));
  ASSERT_TRUE(engine_->teach_model("ranker", 1, true, "").ok());
  ASSERT_TRUE(engine_->checkpoint().ok());
  for (int i = 0; i < 10; ++i) {
    (void)decided("person-4");
    tick();
  }
  now_ += seconds(7200);
  tick();  // windows end: negatives
  for (int i = 0; i < 200 && !has(R"("progressive":{"n":30,)"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_TRUE(has(R"("progressive":{"n":30,)")) << engine_->learning_json();
  tick();
  const std::map<std::string, float> before = scores();
  restart();  // without a checkpoint
  for (int i = 0; i < 200 && !has(R"("progressive":{"n":30,)"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  tick();
  EXPECT_EQ(scores(), before);
}

TEST_F(Stream, AShadowIsMeasuredBesideWhatRanksAndShowsNothing) {
  promote(trained("ftrl"));
  const std::uint32_t second = registered(trained("fm"));
  ASSERT_TRUE(engine_->challenge_model("ranker", second, 0, "").ok());
  play(12);
  settle();
  EXPECT_EQ(decided().model, "ranker@1");
  const auto compared = engine_->compare_model("ranker");
  ASSERT_TRUE(compared.ok()) << compared.error().message;
  EXPECT_NE(compared->find(R"("beside_promoted":{"rows":36,)"), std::string::npos) << *compared;
  EXPECT_NE(compared->find(R"("canary":null)"), std::string::npos);
  const std::string before = beside_promoted();
  restart();
  EXPECT_EQ(beside_promoted(), before);  // it is stored
  ASSERT_TRUE(engine_->promote_model("ranker", second, "better").ok());
  const auto none = engine_->compare_model("ranker");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Code::kConflict);
  tick();
  EXPECT_EQ(decided().model, "ranker@2");
}

TEST_F(Stream, ACanaryRanksForItsShareOfPersonsAndForThemAlways) {
  promote(trained("ftrl"));
  const std::uint32_t second = registered(trained("fm"));
  ASSERT_TRUE(engine_->challenge_model("ranker", second, 0.2, "").ok());
  tick();
  std::set<std::string> tried, more;
  for (int i = 0; i < 300; ++i) {
    const std::string who = "new-" + std::to_string(i);
    ASSERT_TRUE(ingest(*engine_, {click(who, "i1", now_, who)}).ok());
  }
  tick();
  const auto tried_on = [&](std::set<std::string>& out) {
    for (int i = 0; i < 300; ++i) {
      const std::string who = "new-" + std::to_string(i);
      const Decision decision = decided(who);
      if (decision.model != "ranker@2") continue;
      EXPECT_NE(decision.reason.find("canary"), std::string::npos);
      expect_explained(decision);
      out.insert(who);
    }
  };
  tried_on(tried);
  EXPECT_GT(tried.size(), 35u);  // 60 +- 7
  EXPECT_LT(tried.size(), 85u);
  ASSERT_TRUE(engine_->challenge_model("ranker", second, 0.4, "goes well").ok());
  tick();
  tried_on(more);
  EXPECT_GT(more.size(), 90u);
  EXPECT_TRUE(std::includes(more.begin(), more.end(), tried.begin(), tried.end()));
  const auto compared = engine_->compare_model("ranker");
  ASSERT_TRUE(compared.ok()) << compared.error().message;
  EXPECT_NE(compared->find("\"tried\":{\"persons\":" + std::to_string(more.size())),
            std::string::npos)
      << *compared;
  EXPECT_NE(compared->find("\"others\":{\"persons\":" + std::to_string(300 - tried.size())),
            std::string::npos)
      << *compared;
  const auto report = engine_->verify(1);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
  ASSERT_TRUE(engine_->retire_challenger("ranker", "no better").ok());
  tick();
  EXPECT_EQ(decided(*more.begin()).model, "ranker@1");
}

// Far too long steps, and answers by a coin.
TEST_F(Stream, LearningThatSpoilsAModelStopsAndTheJournalSaysWhy) {
  ModelOptions options{.kind = "sgd", .bits = 12};
  options.settings = {{"learning_rate", 10.0}};
  auto model = make_model(options);
  ASSERT_TRUE(model.ok());
  Trained trained;
  trained.input = kWorkspaceInput;
  trained.model = std::move(model).value();
  trained.live_plan = plan_toml();
  const std::string path = folder_.path("wild.attune");
  ASSERT_TRUE(trained.save(path).ok());
  promote(path);
  ASSERT_TRUE(engine_->teach_model("ranker", 1, true, "").ok());
  Rng rng(7);
  for (int i = 0; i < 200; ++i) {
    now_ += seconds(60);
    const std::string who = "person-" + std::to_string(i % 12);
    const auto decision = engine_->decide(forty_for(who));
    ASSERT_TRUE(decision.ok());
    std::vector<Event> events;
    for (const ShownItem& shown : decision->shown) {
      if (!rng.chance(0.5)) continue;
      events.push_back(click(who, shown.item_id, now_, "e" + std::to_string(++clicks_)));
      events.back().decision_id = decision->id;
    }
    ASSERT_TRUE(ingest(*engine_, events).ok());
    ASSERT_TRUE(engine_->tick(now_).ok());
  }
  now_ += seconds(7200);
  tick();
  settle();
  const RegisteredModel& ranker = *engine_->catalog()->models().find("ranker");
  ASSERT_EQ(ranker.steps.back().what, ModelStep::What::kStopLearning) << engine_->learning_json();
  EXPECT_NE(ranker.steps.back().reason.find("as it was registered"), std::string::npos);
  EXPECT_TRUE(ranker.learning.empty());
  EXPECT_EQ(decided().model, "ranker@1");
}

TEST_F(Stream, RefusesWhatCannotLearnOrChallenge) {
  promote(trained("ftrl"));
  const std::uint32_t other = registered(trained("fm"));
  EXPECT_EQ(engine_->challenge_model("ranker", 1, 0.1, "").error().code, Code::kConflict);
  EXPECT_EQ(engine_->challenge_model("ranker", other, 0.9, "").error().code, Code::kInvalid);
  EXPECT_EQ(engine_->challenge_model("ranker", 9, 0.1, "").error().code, Code::kNotFound);
  EXPECT_EQ(engine_->teach_model("ranker", 9, true, "").error().code, Code::kNotFound);
  EXPECT_EQ(engine_->retire_challenger("ranker", "").error().code, Code::kConflict);
  EXPECT_EQ(engine_->compare_model("nobody").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace attune
