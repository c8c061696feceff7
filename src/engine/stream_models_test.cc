// Registered models that follow the stream: they learn, challenge and are told apart.
#include "engine/stream_models.h"

#include <algorithm>
#include <set>

#include "engine/test_registry.h"
#include "feature/row.h"
#include "learn/trained.h"
#include "model/model_file.h"

namespace attune {
namespace {

Examples some_rows() {
  Rng rng(3);
  Examples rows;
  for (int row = 0; row < 200; ++row) {
    for (int i = 0; i < 12; ++i) {
      rows.features.push_back({static_cast<std::uint32_t>(rng.next()), 1.0F});
    }
    rows.ends.push_back(static_cast<std::uint32_t>(rows.features.size()));
    add_live_fields(rows);
    rows.labels.push_back(0);
    rows.weights.push_back(1);
  }
  return rows;
}

std::vector<float> said(const Model& model, const Examples& rows) {
  std::vector<float> out(rows.size());
  model.predict(rows, out);
  return out;
}

class Stream : public Registry {
 protected:
  void promote(const std::string& path) {
    ASSERT_TRUE(engine_->promote_model("ranker", registered(path), "").ok());
    const char* const placement =
        R"({"op":"put_placement","placement":{"name":"feed","model":"ranker","control_share":0,)"
        R"("seen_window_s":0}})";
    ASSERT_TRUE(engine_->control({placement}).ok());
    tick();
  }
  // Until all that came has been learned from, and is published.
  void settle() {
    ASSERT_TRUE(engine_->checkpoint().ok());
    tick();
    tick();
  }
  // Always the same items.
  DecideRequest forty_for(const std::string& who) const {
    DecideRequest request = feed_for(who, 40);
    for (int i = 0; i < 40; ++i) request.candidates.push_back("i" + std::to_string(i));
    return request;
  }
  std::string models_path(std::uint32_t version) const {
    const auto& id = engine_->catalog()->models().find("ranker")->version(version)->id;
    return folder_.workspace() + "/registry/" + id + ".model";
  }
  std::string beside_promoted() {
    const auto compared = engine_->compare_model("ranker");
    EXPECT_TRUE(compared.ok());
    const auto at = compared->rfind("\"beside_promoted\":");
    return at == std::string::npos ? *compared : compared->substr(at);
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

// The state is stored with a checkpoint; what was learned after it is learned again from the
// journal. So a crash leaves the model as it would have been.
TEST_F(Stream, ACrashLosesNothingOfWhatWasLearned) {
  for (const char* kind : {"ftrl", "deepfm"}) {
    const std::uint32_t number = registered(trained(kind));
    ASSERT_TRUE(engine_->teach_model("ranker", number, true, "").ok());
    play(20);  // ends with a checkpoint
    const std::string file = "/stream/ranker@" + std::to_string(number) + ".stream";
    ASSERT_TRUE(std::filesystem::exists(folder_.workspace() + file));
    for (int i = 0; i < 10; ++i) {
      (void)decided("person-4");
      tick();
    }
    now_ += seconds(7200);
    tick();                                        // windows end: negatives
    ASSERT_TRUE(engine_->control(items(1)).ok());  // and is on disk
    const std::string crashed = folder_.path(std::string("crashed-") + kind);
    std::filesystem::copy(folder_.workspace(), crashed, std::filesystem::copy_options::recursive);
    ASSERT_TRUE(engine_->checkpoint().ok());
    const auto after_crash = open_engine(crashed);
    ASSERT_TRUE(after_crash->checkpoint().ok());
    const auto never_stopped = ModelFile::open(folder_.workspace() + file);
    const auto again = ModelFile::open(crashed + file);
    ASSERT_TRUE(never_stopped.ok() && again.ok());
    EXPECT_EQ(*never_stopped->section("model"), *again->section("model")) << kind;
    EXPECT_EQ(*never_stopped->section("stream"), *again->section("stream")) << kind;
    const auto before = ModelFile::open(models_path(number));
    EXPECT_NE(*never_stopped->section("model"), *before->section("model"));
    ASSERT_TRUE(after_crash->close().ok());
  }
}

TEST_F(Stream, AShadowIsMeasuredBesideWhatRanksAndShowsNothing) {
  promote(trained("ftrl"));
  const std::uint32_t second = registered(trained("fm"));
  ASSERT_TRUE(engine_->challenge_model({"ranker", "", second, 0}).ok());
  play(12);
  settle();
  EXPECT_EQ(decided().model, "ranker@1");
  const auto compared = engine_->compare_model("ranker");
  ASSERT_TRUE(compared.ok()) << compared.error().message;
  EXPECT_NE(compared->find(R"("beside_promoted":{"rows":36,)"), std::string::npos) << *compared;
  EXPECT_NE(compared->find(R"("canary":null)"), std::string::npos);
  const std::string before = beside_promoted();
  restart();
  settle();                              // who learns has read it
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
  ASSERT_TRUE(engine_->challenge_model({"ranker", "", second, 0.2}).ok());
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
  ASSERT_TRUE(engine_->challenge_model({"ranker", "goes well", second, 0.4}).ok());
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

TEST_F(Stream, WhatWasLearnedIsKeptAsAVersionThatPredictsTheSame) {
  for (const char* kind : {"ftrl", "deepfm"}) {
    const std::uint32_t number = registered(trained(kind));
    ASSERT_TRUE(engine_->promote_model("ranker", number, "").ok());
    ASSERT_TRUE(engine_->teach_model("ranker", number, true, "").ok());
    if (number == 1) ask_for_model();
    EXPECT_EQ(engine_->keep_model("ranker", number).error().code, Code::kConflict);  // nothing yet
    play(20);
    settle();
    const auto kept = engine_->keep_model("ranker", number);
    ASSERT_TRUE(kept.ok()) << kept.error().message;
    EXPECT_EQ(kept->number, number + 1);
    EXPECT_NE(kept->about.find("\"of\":" + std::to_string(number)), std::string::npos);
    const auto learner = ModelFile::open(folder_.workspace() + "/stream/ranker@" +
                                         std::to_string(number) + ".stream");
    const auto now = learner->model();
    const auto then = Trained::load(models_path(kept->number));
    const auto before = Trained::load(models_path(number));
    ASSERT_TRUE(now.ok() && then.ok() && before.ok());
    const Examples rows = some_rows();
    EXPECT_EQ(said(**now, rows), said(*then->model, rows)) << kind;
    EXPECT_NE(said(*before->model, rows), said(*then->model, rows)) << kind;
    ASSERT_TRUE(engine_->promote_model("ranker", kept->number, "as it was then").ok());
    tick();
    EXPECT_EQ(decided().model, "ranker@" + std::to_string(kept->number));
    play(10);  // the learner goes on, what is kept does not
    const auto later = ModelFile::open(models_path(kept->number));
    ASSERT_TRUE(later.ok());
    EXPECT_EQ(later->id(), kept->id);
    ASSERT_TRUE(engine_->roll_back_model("ranker", "").ok());
    tick();
    EXPECT_EQ(decided().model.rfind("ranker@" + std::to_string(number) + "+", 0), 0u);
    ASSERT_TRUE(engine_->teach_model("ranker", number, false, "").ok());
    EXPECT_EQ(engine_->keep_model("ranker", number).error().code, Code::kConflict);
  }
  EXPECT_EQ(engine_->keep_model("ranker", 99).error().code, Code::kNotFound);
  EXPECT_EQ(engine_->keep_model("nobody", 1).error().code, Code::kNotFound);
}

TEST_F(Stream, RefusesWhatCannotLearnOrChallenge) {
  promote(trained("ftrl"));
  const std::uint32_t other = registered(trained("fm"));
  EXPECT_EQ(engine_->challenge_model({"ranker", "", 1, 0.1}).error().code, Code::kConflict);
  EXPECT_EQ(engine_->challenge_model({"ranker", "", other, 0.9}).error().code, Code::kInvalid);
  EXPECT_EQ(engine_->challenge_model({"ranker", "", 9, 0.1}).error().code, Code::kNotFound);
  EXPECT_EQ(engine_->teach_model("ranker", 9, true, "").error().code, Code::kNotFound);
  EXPECT_EQ(engine_->retire_challenger("ranker", "").error().code, Code::kConflict);
  EXPECT_EQ(engine_->compare_model("nobody").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace attune
