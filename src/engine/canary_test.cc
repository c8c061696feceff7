// A canary that clearly harms ends by itself: by a record of the journal, with the reason.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "engine/test_registry.h"

namespace attune {
namespace {

class Canary : public Registry {
 protected:
  static constexpr int kPersons = 150;

  void SetUp() override {
    Registry::SetUp();
    ASSERT_TRUE(engine_->promote_model("ranker", registered(trained("ftrl")), "").ok());
    const char* const placement =
        R"({"op":"put_placement","placement":{"name":"feed","model":"ranker","control_share":0,)"
        R"("seen_window_s":0}})";
    ASSERT_TRUE(engine_->control({placement}).ok());
    for (int i = 0; i < kPersons; ++i) {
      const std::string who = "new-" + std::to_string(i);
      ASSERT_TRUE(ingest(*engine_, {click(who, "i1", now_, who)}).ok());
    }
    tick();
    const std::uint32_t second = registered(trained("fm"));
    ASSERT_TRUE(engine_->challenge_model({"ranker", "to be tried", second, 0.4}).ok());
    tick();
  }

  // Each person comes once; engaged with what is shown at the rate of who ranked it.
  void visit_all(double rate, double canary_rate) {
    std::vector<Event> events;
    for (int i = 0; i < kPersons; ++i) {
      const std::string who = "new-" + std::to_string(i);
      const Decision made = decided(who);
      const bool is_tried = made.model == "ranker@2";
      for (const ShownItem& shown : made.shown) {
        if (!rng_.chance(is_tried ? canary_rate : rate)) continue;
        events.push_back(click(who, shown.item_id, now_, "v" + std::to_string(++clicks_)));
        events.back().decision_id = made.id;
      }
    }
    ASSERT_TRUE(ingest(*engine_, std::move(events)).ok());
    tick();
  }
  const RegisteredModel& ranker() const {
    catalog_ = engine_->catalog();
    return *catalog_->models().find("ranker");
  }
  int ranked_by_canary() {
    int out = 0;
    for (int i = 0; i < kPersons; ++i) {
      out += decided("new-" + std::to_string(i)).model == "ranker@2" ? 1 : 0;
    }
    return out;
  }

  void challenge_again(bool promotes) {
    ASSERT_TRUE(engine_->challenge_model({"ranker", "on its own", 2, 0.4, promotes}).ok());
    tick();
  }

  mutable std::shared_ptr<const Catalog> catalog_;
  Rng rng_ = Rng(11);
};

TEST_F(Canary, OneThatHarmsEndsAndTheJournalSaysWhy) {
  EXPECT_GT(ranked_by_canary(), 30);
  for (int look = 0; look < 6 && ranker().challenger; ++look) {
    visit_all(0.5, 0.1);
    ASSERT_TRUE(engine_->checkpoint().ok());
  }
  ASSERT_FALSE(ranker().challenger);
  EXPECT_EQ(ranker().steps.back().what, ModelStep::What::kRetire);
  EXPECT_NE(ranker().steps.back().reason.find("clearly worse than what is promoted"),
            std::string::npos)
      << ranker().steps.back().reason;
  tick();
  EXPECT_EQ(ranked_by_canary(), 0);
  const auto report = engine_->verify(2);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
  const auto before = hashes_of(*engine_);
  const std::string told = model_json(ranker());
  restart();
  expect_equal(hashes_of(*engine_), before);
  EXPECT_EQ(model_json(ranker()), told);
  ASSERT_TRUE(engine_->checkpoint().ok());
  EXPECT_EQ(model_json(ranker()), told);  // and it is not ended twice
}

// The two change places, and again where that was a mistake; every step is in the journal.
TEST_F(Canary, OneThatIsBetterIsPromotedIfItIsToldToBe) {
  for (int look = 0; look < 4; ++look) {
    visit_all(0.1, 0.5);
    ASSERT_TRUE(engine_->checkpoint().ok());
  }
  EXPECT_EQ(ranker().promoted()->number, 1U) << "nobody asked for it";
  challenge_again(true);
  for (int look = 0; look < 6 && ranker().promoted()->number == 1; ++look) {
    visit_all(0.1, 0.5);
    ASSERT_TRUE(engine_->checkpoint().ok());
  }
  ASSERT_EQ(ranker().promoted()->number, 2U);
  const auto& steps = ranker().steps;
  EXPECT_EQ(steps[steps.size() - 2].what, ModelStep::What::kPromote);
  EXPECT_NE(steps[steps.size() - 2].reason.find("clearly better than what is promoted"),
            std::string::npos);
  ASSERT_TRUE(ranker().challenger);
  EXPECT_EQ(ranker().challenger->version, 1U);
  EXPECT_EQ(ranker().challenger->share, 0.4);
  EXPECT_TRUE(ranker().challenger->promotes);
  tick();
  const auto before = hashes_of(*engine_);
  restart();
  expect_equal(hashes_of(*engine_), before);
  const auto report = engine_->verify(2);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
  for (int look = 0; look < 6 && ranker().promoted()->number == 2; ++look) {
    visit_all(0.5, 0.1);  // version 2 does badly after all
    ASSERT_TRUE(engine_->checkpoint().ok());
  }
  EXPECT_EQ(ranker().promoted()->number, 1U);
  EXPECT_EQ(ranker().challenger->version, 2U);
}

TEST_F(Canary, AShadowIsNotPromotedByItself) {
  const Status refused = engine_->challenge_model({"ranker", "", 2, 0, true});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  EXPECT_EQ(refused.error().field, "promote_when_better");
}

// What was counted is of the journal: a start has it, and ends nothing before it looks.
TEST_F(Canary, AStartCountsAnewAndAReplayEndsNothing) {
  for (int i = 0; i < 4; ++i) visit_all(0.5, 0.1);
  restart();
  ASSERT_TRUE(ranker().challenger);
  tick();
  ASSERT_TRUE(ranker().challenger);
  ASSERT_TRUE(engine_->checkpoint().ok());
  EXPECT_FALSE(ranker().challenger);
}

TEST_F(Canary, OneThatIsAsGoodGoesOn) {
  for (int look = 0; look < 8; ++look) {
    visit_all(0.3, 0.3);
    ASSERT_TRUE(engine_->checkpoint().ok());
  }
  ASSERT_TRUE(ranker().challenger);
  const auto compared = engine_->compare_model("ranker");
  ASSERT_TRUE(compared.ok());
  EXPECT_NE(compared->find("\"always_valid_interval\":["), std::string::npos) << *compared;
}

// The next version is told from its own persons' slates alone.
TEST_F(Canary, AnotherOneBeginsWithNothingCounted) {
  for (int i = 0; i < 4; ++i) visit_all(0.5, 0.1);
  ASSERT_TRUE(engine_->retire_challenger("ranker", "by hand").ok());
  ASSERT_TRUE(engine_->challenge_model({"ranker", "again", 2, 0.4}).ok());
  tick();
  visit_all(0.3, 0.3);
  ASSERT_TRUE(engine_->checkpoint().ok());
  EXPECT_TRUE(ranker().challenger);
}

}  // namespace
}  // namespace attune
