// For tests of registered models: a workspace whose persons click, and models trained on it.
#pragma once
#include <cmath>
#include <memory>
#include <string>

#include "engine/outcomes.h"
#include "engine/test_workspace.h"
#include "learn/journal_training.h"

namespace attune {

// A folder with a workspace whose persons click, and a model trained on it.
class Registry : public testing::Test {
 protected:
  void SetUp() override {
    engine_ = open_engine(folder_.workspace());
    ASSERT_TRUE(engine_->control(items(60)).ok());
    play(60);
  }

  // Persons visit; those with an even number like the items of category c1.
  void play(int visits) {
    for (int i = 0; i < visits; ++i) {
      now_ += seconds(60);
      const std::string who = "person-" + std::to_string(i % 12);
      const auto decision = engine_->decide(feed_for(who));
      ASSERT_TRUE(decision.ok()) << decision.error().message;
      for (const ShownItem& shown : decision->shown) {
        if (i % 2 != 0 || std::stoi(shown.item_id.substr(1)) % 4 != 1) continue;
        Event event = click(who, shown.item_id, now_, shown.item_id + std::to_string(++clicks_));
        event.decision_id = decision->id;
        ASSERT_TRUE(ingest(*engine_, {event}).ok());
      }
      ASSERT_TRUE(engine_->tick(now_).ok());
    }
    now_ += seconds(7200);
    ASSERT_TRUE(engine_->tick(now_).ok());
    ASSERT_TRUE(engine_->checkpoint().ok());
  }

  // Of so many items that there are always some to like.
  void play_long() {
    ASSERT_TRUE(engine_->control(items(2000)).ok());
    play(400);
  }

  std::string trained(const std::string& kind, std::uint64_t seed = 1,
                      CalibrationKind calibration = CalibrationKind::kNone) {
    const auto rows = open_outcomes(folder_.workspace());
    EXPECT_TRUE(rows.ok());
    JournalTrainingOptions options;
    options.calibration = calibration;
    options.workspace = folder_.workspace();
    options.plan = plan_toml();
    options.model.kind = kind;
    options.model.bits = 12;
    options.model.seed = seed;
    auto made = train_journal(**rows, options);
    EXPECT_TRUE(made.ok()) << made.error().message;
    const std::string path = folder_.path(kind + std::to_string(seed) + ".attune");
    EXPECT_TRUE(made->trained.save(path).ok());
    return path;
  }

  std::string plan_toml() const {
    const auto plan = Plan::parse(engine_->catalog()->plan(), "plan");
    return plan.ok() ? plan->toml() : "";
  }

  std::uint32_t registered(const std::string& path) {
    const auto version = engine_->register_model("ranker", path, R"({"why":"test"})");
    EXPECT_TRUE(version.ok()) << version.error().message;
    return version.ok() ? version->number : 0;
  }

  void ask_for_model() {
    ASSERT_TRUE(
        engine_
            ->control(
                {R"({"op":"put_placement","placement":{"name":"feed","model":"ranker","control_share":0}})"})
            .ok());
    tick();
  }
  void tick() {
    now_ += seconds(60);
    ASSERT_TRUE(engine_->tick(now_).ok());
  }

  Decision decided(const std::string& who = "person-2") {
    auto decision = engine_->decide(feed_for(who));
    EXPECT_TRUE(decision.ok()) << decision.error().message;
    return decision.ok() ? *decision : Decision();
  }

  void restart() {
    ASSERT_TRUE(engine_->close().ok());
    engine_.reset();
    engine_ = open_engine(folder_.workspace());
  }

  TempFolder folder_;
  std::unique_ptr<Engine> engine_;
  Time now_ = begin_time();
  int clicks_ = 0;
};

inline void expect_explained(const Decision& decision) {
  ASSERT_FALSE(decision.shown.empty());
  for (const ShownItem& shown : decision.shown) {
    double sum = 0;
    for (const Part& part : shown.parts) sum += double{part.part};
    EXPECT_NEAR(1 / (1 + std::exp(-sum)), double{shown.p_click}, 1e-6);
  }
}

}  // namespace attune
