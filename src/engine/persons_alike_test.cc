// What persons alike took, live: it comes into decisions, and goes with who refuses or is erased.
#include <algorithm>

#include "engine/test_workspace.h"
#include "profile/store.h"

namespace attune {
namespace {

constexpr const char* kRefusal = R"({"consent":{"categoryPreferences":{"personalization":false}}})";

class PersonsAlikeLive : public testing::Test {
 protected:
  // "twin" takes i150, then what "ann" takes: only who is alike leads from the latter to i150.
  void SetUp() override {
    engine_ = open_engine(folder_.workspace());
    auto changes = items(200);
    changes.push_back(R"({"op":"put_placement","placement":{"name":"feed","epsilon":0,)"
                      R"("control_share":0,"seen_window_s":0,"candidates":100}})");
    ASSERT_TRUE(engine_->control(changes).ok());
    take("twin", "i150");
    for (const char* who : {"twin", "ann"}) {
      for (const char* what : {"i1", "i2"}) take(who, what);
    }
    publish();
  }
  Event taken(const std::string& who, const std::string& what) {
    const std::string id = std::to_string(++count_);
    return click(who, what, begin_time() + seconds(count_), id);
  }
  void take(const std::string& who, const std::string& what) { send(taken(who, what)); }
  void send(const Event& event) { ASSERT_TRUE(ingest(*engine_, {event}).ok()); }
  void publish() {
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(engine_->tick(engine_->now()).ok());
  }
  // Where a candidate of ann's came from; "" when it is none. Another one a time: popular items
  // come alike, and i150 is among the last of the catalog.
  std::string source_of(const std::string& item) {
    const auto decision = engine_->decide(feed_for("ann", 100));
    EXPECT_TRUE(decision.ok());
    for (const ShownItem& shown : decision->shown) {
      if (shown.item_id == item) return shown.source;
    }
    return "";
  }
  void restart() {
    ASSERT_TRUE(engine_->close().ok());
    engine_.reset();
    engine_ = open_engine(folder_.workspace());
    ASSERT_NE(engine_, nullptr);
  }
  std::string path(const std::string& name) const { return folder_.workspace() + "/" + name; }

  const TempFolder folder_;
  std::unique_ptr<Engine> engine_;
  int count_ = 0;
};

TEST_F(PersonsAlikeLive, WhatTheyTookIsACandidateThatSaysSo) {
  EXPECT_EQ(source_of("i150"), "persons_alike");
  ASSERT_TRUE(engine_->checkpoint().ok());
  restart();
  EXPECT_EQ(source_of("i150"), "persons_alike");
  EXPECT_TRUE(engine_->verify(2)->is_equal);
}

TEST_F(PersonsAlikeLive, AnEventChangesTheNextRequest) {
  take("other", "i160");
  take("other", "i9");
  publish();
  EXPECT_NE(source_of("i160"), "persons_alike");
  take("ann", "i9");
  EXPECT_EQ(source_of("i160"), "persons_alike");
}

TEST_F(PersonsAlikeLive, WhoRefusesIsTakenOutByAnyEventThatSaysSo) {
  Event refusal = identify("twin", "{}", begin_time() + seconds(50), "r");
  refusal.context = kRefusal;  // names no item
  send(refusal);
  publish();
  EXPECT_NE(source_of("i150"), "persons_alike");
  take("twin", "i1");
  publish();
  EXPECT_NE(source_of("i150"), "persons_alike");
  EXPECT_TRUE(engine_->verify(1)->is_equal);
}

TEST_F(PersonsAlikeLive, ARefusalOfOneIdentityHoldsForThePerson) {
  Event refusal = identify("twin", "{}", begin_time() + seconds(50), "r");
  refusal.anonymous_id = "cookie";
  refusal.context = kRefusal;
  send(refusal);
  for (const char* what : {"i150", "i1"}) {
    Event event = taken("", what);
    event.anonymous_id = "cookie";
    send(event);
  }
  publish();
  EXPECT_NE(source_of("i150"), "persons_alike");
}

TEST_F(PersonsAlikeLive, TheErasedAreTakenOutAtOnce) {
  ASSERT_TRUE(engine_->erase(IdType::kUser, "twin").ok());
  EXPECT_NE(source_of("i150"), "persons_alike");
  restart();
  EXPECT_NE(source_of("i150"), "persons_alike");
  EXPECT_TRUE(engine_->verify(2)->is_equal);
}

TEST_F(PersonsAlikeLive, OnesOwnOtherIdentityIsNobodyAlike) {
  Event link = identify("ann", "{}", begin_time() + seconds(50), "l");
  link.anonymous_id = "phone";
  Event event = taken("", "i170");
  event.anonymous_id = "phone";
  Event same = taken("", "i1");
  same.anonymous_id = "phone";
  ASSERT_TRUE(ingest(*engine_, {event, same, link}).ok());
  for (int i = 0; i < 12; ++i) {  // i170 is no longer among the last that are remembered
    take("ann", "i" + std::to_string(1 + i % 2));
  }
  publish();
  EXPECT_EQ(source_of("i150"), "persons_alike");
  EXPECT_NE(source_of("i170"), "persons_alike");
}

// state.db of a program that did not know this fold.
TEST_F(PersonsAlikeLive, AStateThatDoesNotHoldThemIsMadeAnew) {
  const auto before = hashes_of(*engine_);
  ASSERT_TRUE(engine_->checkpoint().ok());
  ASSERT_TRUE(engine_->close().ok());
  engine_.reset();
  {
    const auto store = open_sqlite_store(path("state.db"));
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->begin().ok());
    ASSERT_TRUE((*store)->put_fold("persons_alike", "").ok());
    ASSERT_TRUE((*store)->finish((*store)->position()).ok());
  }
  engine_ = open_engine(folder_.workspace());
  ASSERT_NE(engine_, nullptr);
  expect_equal(hashes_of(*engine_), before);
  EXPECT_TRUE(engine_->verify(2)->is_equal);
}

}  // namespace
}  // namespace attune
