// Registered factors that draw candidates, and what they are learned of.
#include <algorithm>

#include "engine/taken.h"
#include "engine/test_workspace.h"
#include "model/item_factors.h"

namespace attune {
namespace {

class Retriever : public testing::Test {
 protected:
  // Persons of two circles take of i100-i119 and of i120-i139; one of them erased, one refusing.
  void SetUp() override {
    engine_ = open_engine(folder_.workspace());
    ASSERT_TRUE(engine_->control(items(200)).ok());
    Rng rng(1);
    std::vector<Event> events;
    for (int person = 0; person < 40; ++person) {
      for (int i = 100; i < 140; ++i) {
        if ((person < 20) == (i < 120) && rng.chance(0.5)) events.push_back(taken(person, i));
      }
    }
    events.push_back(taken(50, 190));
    events.push_back(taken(51, 191));
    Event refusal = identify("p51", "{}", begin_time() + seconds(500), "r");
    refusal.context = R"({"consent":{"categoryPreferences":{"personalization":false}}})";
    events.push_back(refusal);
    ASSERT_TRUE(ingest(*engine_, events).ok());
    ASSERT_TRUE(engine_->erase(IdType::kUser, "p50").ok());
  }
  Event taken(int person, int item) {
    const std::string id = std::to_string(++count_);
    return click("p" + std::to_string(person), "i" + std::to_string(item),
                 begin_time() + seconds(count_), id);
  }
  void train(const std::string& file) {
    auto taken = read_taken(folder_.workspace());
    ASSERT_TRUE(taken.ok()) << taken.error().message;
    const ImplicitFactorsOptions options{.size = 16, .all = 0.1, .ridge = 0.02};
    const Interactions train(std::move(taken->rows), taken->items.size());
    const ItemFactors factors(std::move(taken->items), ImplicitFactors(train, options), options);
    ASSERT_TRUE(factors.save(file).ok());
  }
  void place(const std::string& retriever) {
    const std::string change =
        R"({"op":"put_placement","placement":{"name":"feed","epsilon":0,"control_share":0,)"
        R"("seen_window_s":0,"candidates":100,"retriever":")" +
        retriever + "\"}}";
    ASSERT_TRUE(engine_->control({change}).ok());
    ASSERT_TRUE(engine_->tick(engine_->now()).ok());
  }
  Decision ask(const std::string& person) {
    auto decision = engine_->decide(feed_for(person, 100));
    EXPECT_TRUE(decision.ok());
    return decision.ok() ? *decision : Decision{};
  }
  static std::vector<std::string> drawn(const Decision& decision) {
    std::vector<std::string> out;
    for (const ShownItem& shown : decision.shown) {
      if (shown.source == "factors") out.push_back(shown.item_id);
    }
    return out;
  }

  const TempFolder folder_;
  std::unique_ptr<Engine> engine_;
  int count_ = 0;
};

TEST_F(Retriever, IsLearnedOfNobodyErasedOrRefusing) {
  const auto taken = read_taken(folder_.workspace());
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(taken->rows.size(), 40U);
  EXPECT_EQ(taken->items.size(), 40U);
  for (const char* gone : {"i190", "i191"}) {
    EXPECT_EQ(std::count(taken->items.begin(), taken->items.end(), item_key(gone)), 0) << gone;
  }
  EXPECT_EQ(read_taken(folder_.path("none")).error().code, Code::kNotFound);
}

TEST_F(Retriever, DrawsForWhatWasTakenJustNow) {
  const std::string file = folder_.path("factors.model");
  train(file);
  const auto version = engine_->register_model("taste", file, "");
  ASSERT_TRUE(version.ok()) << version.error().message;
  EXPECT_EQ(version->kind, "factors");
  EXPECT_EQ(version->input, "items");
  place("taste");
  ASSERT_TRUE(ingest(*engine_, {taken(60, 101)}).ok());
  const Decision without = ask("p60");
  EXPECT_TRUE(drawn(without).empty());
  EXPECT_NE(without.reason.find("retriever has no version"), std::string::npos) << without.reason;
  ASSERT_TRUE(engine_->promote_model("taste", 1, "").ok());
  ASSERT_TRUE(engine_->tick(engine_->now()).ok());
  // A new person: what one click says, without a tick in between.
  ASSERT_TRUE(ingest(*engine_, {taken(61, 135)}).ok());
  const auto items = drawn(ask("p61"));
  ASSERT_GE(items.size(), 5U);
  EXPECT_EQ(ask("p61").reason.find("retriever"), std::string::npos);
  EXPECT_TRUE(engine_->verify(2)->is_equal);
  ASSERT_TRUE(engine_->close().ok());
  engine_.reset();
  engine_ = open_engine(folder_.workspace());
  ASSERT_NE(engine_, nullptr);
  EXPECT_EQ(drawn(ask("p61")), items);
}

TEST_F(Retriever, AModelOfAnotherKindOrADamagedFileIsRefused) {
  const std::string file = folder_.path("factors.model");
  train(file);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  EXPECT_FALSE(engine_->register_model("taste", file, "").ok());
  const auto unknown = engine_->control(
      {R"({"op":"put_placement","placement":{"name":"feed","retriever":"nobody"}})"});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().field, "placement.retriever");
}

}  // namespace
}  // namespace attune
