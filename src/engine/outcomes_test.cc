#include "engine/outcomes.h"

#include <map>

#include "engine/replay.h"
#include "engine/test_workspace.h"

namespace attune {
namespace {

// Visits, clicks that name their decision or not, impressions, cookies that become persons, consent
// given and taken back, ticks: all from one seed.
class Visits {
 public:
  Visits(Engine& engine, std::uint64_t seed) : engine_(engine), rng_(seed) {}

  void play(int steps) {
    for (int i = 0; i < steps; ++i) {
      now_ += seconds(rng_.uniform() * 200);
      rng_.chance(0.6) ? visit(i) : other(i);
      if (rng_.chance(0.3)) {
        ASSERT_TRUE(engine_.tick(now_).ok());
      }
    }
    now_ += seconds(86'400);
    ASSERT_TRUE(engine_.tick(now_).ok());
    ASSERT_TRUE(engine_.checkpoint().ok());  // so that the tick is on disk
  }
  Time now() const { return now_; }

 private:
  std::string person() { return "person-" + std::to_string(rng_.below(20)); }

  void visit(int step) {
    const std::string who = person();
    const auto decision = engine_.decide(feed_for(who));
    ASSERT_TRUE(decision.ok()) << decision.error().message;
    for (const ShownItem& shown : decision->shown) {
      if (!rng_.chance(0.3)) continue;
      Event event =
          click(who, shown.item_id, now_ + seconds(5), "d" + std::to_string(step) + shown.item_id);
      if (rng_.chance(0.5)) event.decision_id = decision->id;
      if (rng_.chance(0.2)) event.anonymous_id = "cookie-" + std::to_string(rng_.below(200));
      if (rng_.chance(0.1)) event.verb = Verb::kImpression;
      ASSERT_TRUE(ingest(engine_, {event}).ok());
    }
  }

  void other(int step) {
    Event event = identify(person(), R"({"plan":"gold"})", now_, "o" + std::to_string(step));
    if (rng_.chance(0.2)) event.anonymous_id = "cookie-" + std::to_string(rng_.below(200));
    if (rng_.chance(0.2)) {
      const bool is_granted = rng_.chance(0.5);
      event.context = std::string(R"({"consent":{"categoryPreferences":{"personalization":)") +
                      (is_granted ? "true}}}" : "false}}}");
    }
    ASSERT_TRUE(ingest(engine_, {event}).ok());
  }

  Engine& engine_;
  Rng rng_;
  Time now_ = begin_time();
};

struct AllRows {
  Examples rows;
  std::vector<Time> times;
};

AllRows rows_of(OutcomeSource& source) {
  AllRows all;
  Examples block;
  EXPECT_TRUE(source.begin(0).ok());
  while (true) {
    const auto has_rows = source.next(block);
    EXPECT_TRUE(has_rows.ok());
    if (!has_rows.ok() || !*has_rows) return all;
    EXPECT_EQ(source.times().size(), block.size());
    for (std::size_t i = 0; i < block.size(); ++i) append_row(block, i, all.rows);
    all.times.insert(all.times.end(), source.times().begin(), source.times().end());
  }
}

// The live learner of a replay of the whole journal, which learned from more than so many rows.
std::string live_model(const std::string& workspace, std::uint64_t rows) {
  const auto journal = open_file_journal({.directory = workspace + "/journal"});
  const auto keyring = open_keyring(workspace + "/keys", false);
  EXPECT_TRUE(journal.ok() && keyring.ok());
  State state;
  EXPECT_TRUE(replay(**journal, **keyring, {1, (*journal)->end()}, state, {}).ok());
  EXPECT_GT(state.learner().updates(), rows);
  std::string bytes;
  state.learner().model().encode(bytes);
  return bytes;
}

std::string model_of(const AllRows& all) {
  Ftrl model{FtrlOptions()};
  for (std::size_t i = 0; i < all.rows.size(); ++i) {
    if (all.rows.weight(i) > 0) model.learn(all.rows.row(i), all.rows.labels[i] > 0.5F);
  }
  std::string bytes;
  model.encode(bytes);
  return bytes;
}

TEST(Outcomes, AreWhatTheLiveLearnerLearnedFrom) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const TempFolder folder;
    auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(engine->control(items(100)).ok());
    Visits(*engine, seed).play(1300);
    // In use: read beside the engine.
    auto source = open_outcomes(folder.workspace());
    ASSERT_TRUE(source.ok()) << source.error().message;
    const AllRows all = rows_of(**source);
    const AllRows again = rows_of(**source);
    EXPECT_EQ(all.rows.ends, again.rows.ends);
    EXPECT_EQ(all.rows.labels, again.rows.labels);
    EXPECT_TRUE(std::is_sorted(all.times.begin(), all.times.end()));
    ASSERT_TRUE(engine->close().ok());
    engine.reset();
    EXPECT_EQ(model_of(all), live_model(folder.workspace(), 200)) << "seed " << seed;
  }
}

TEST(Outcomes, AreWhatTheLiveLearnerLearnedFromWhereSilenceRefuses) {
  const TempFolder folder;
  EngineOptions options = still_options(folder.workspace());
  options.denied_by_default = static_cast<std::uint8_t>(Purpose::kPersonalization);
  auto engine = open_engine(options);
  ASSERT_TRUE(engine->control(items(100)).ok());
  Visits(*engine, 4).play(1500);
  const auto source = open_outcomes(folder.workspace());
  ASSERT_TRUE(source.ok()) << source.error().message;
  const AllRows all = rows_of(**source);
  ASSERT_TRUE(engine->close().ok());
  engine.reset();
  EXPECT_EQ(model_of(all), live_model(folder.workspace(), 0));
}

TEST(Outcomes, OfTheErasedAndOfThoseWhoRefuseAreNotThere) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  ASSERT_TRUE(engine->control(items(20)).ok());
  ASSERT_TRUE(ingest(*engine, {identify("ann", "{}", begin_time(), "a"),
                               identify("bob", "{}", begin_time(), "b")})
                  .ok());
  const auto refuse = [&](const char* who) {
    Event refusal = identify(who, "{}", begin_time(), std::string(who) + "r");
    refusal.context = R"({"consent":{"categoryPreferences":{"personalization":false}}})";
    ASSERT_TRUE(ingest(*engine, {refusal}).ok());
  };
  refuse("eve");
  ASSERT_TRUE(engine->tick(begin_time()).ok());
  for (const char* who : {"ann", "bob", "eve", "dan"}) {
    const auto decision = engine->decide(feed_for(who, 2));
    ASSERT_TRUE(decision.ok());
    ASSERT_EQ(decision->shown.size(), 2u);
    if (who == std::string("dan")) refuse("dan");  // what waits of him is dropped
    Event taken = click(who, decision->shown[0].item_id, begin_time(), std::string(who) + "1");
    taken.decision_id = decision->id;
    ASSERT_TRUE(ingest(*engine, {taken}).ok());
  }
  ASSERT_TRUE(engine->tick(begin_time() + seconds(7200)).ok());
  ASSERT_TRUE(engine->checkpoint().ok());
  const auto both = open_outcomes(folder.workspace());
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(rows_of(**both).rows.labels, (std::vector<float>{1, 1, 0, 0}));
  ASSERT_TRUE(engine->erase(IdType::kUser, "bob").ok());
  const auto one = open_outcomes(folder.workspace());
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(rows_of(**one).rows.labels, (std::vector<float>{1, 0}));
  ASSERT_TRUE(engine->close().ok());
}

TEST(Outcomes, NamesOfFeaturesAreToldOnRequest) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  ASSERT_TRUE(engine->control(items(20)).ok());
  Visits(*engine, 4).play(50);
  std::map<std::uint32_t, std::string> names;
  const auto source =
      open_outcomes(folder.workspace(),
                    [&](std::uint32_t hash, std::string_view name) { names.emplace(hash, name); });
  ASSERT_TRUE(source.ok());
  const AllRows all = rows_of(**source);
  for (const Feature& f : all.rows.features) EXPECT_TRUE(names.contains(f.hash));
  ASSERT_TRUE(engine->close().ok());
}

TEST(Outcomes, WithoutAWorkspaceThereAreNone) {
  const TempFolder folder;
  const auto source = open_outcomes(folder.path("nothing"));
  ASSERT_FALSE(source.ok());
  EXPECT_EQ(source.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace attune
