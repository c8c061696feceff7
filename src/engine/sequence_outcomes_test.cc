// Sequences of a workspace: a plan says what persons had before, decisions hold it, and kinds of
// sequences learn from it.
#include "engine/outcomes.h"
#include "engine/test_workspace.h"
#include "feature/plan.h"
#include "learn/journal_training.h"

namespace attune {
namespace {

constexpr int kItems = 40, kFamilies = 4, kPersons = 50;

std::string plan_text(const std::string& sequence) {
  return Plan::declare(
             "[[feature]]\nkind = \"bias\"\n[[feature]]\nkind = \"category\"\nof = \"item.id\"\n" +
                 sequence,
             "p")
      .value()
      .toml();
}

// Persons who mostly click what is of the family of the last thing they clicked.
void play(Engine& engine, int visits) {
  Rng rng(5);
  std::vector<int> last(kPersons);
  Time now = begin_time();
  for (int visit = 0; visit < visits; ++visit) {
    now += seconds(60);
    const auto person = static_cast<int>(rng.below(kPersons));
    const auto item = static_cast<int>(rng.below(kItems));
    DecideRequest request = feed_for("person-" + std::to_string(person), 1);
    request.candidates = {"i" + std::to_string(item)};
    const auto decision = engine.decide(request);
    ASSERT_TRUE(decision.ok()) << decision.error().message;
    const bool is_like = item % kFamilies == last[person] % kFamilies;
    if (rng.chance(is_like ? 0.9 : 0.1)) {
      Event event = click(request.person_id, request.candidates[0], now + seconds(5),
                          "d" + std::to_string(visit));
      event.decision_id = decision->id;
      ASSERT_TRUE(ingest(engine, {event}).ok());
      last[person] = item;
    }
    ASSERT_TRUE(engine.tick(now + seconds(10)).ok());
  }
  ASSERT_TRUE(engine.tick(now + seconds(86'400)).ok());
  ASSERT_TRUE(engine.checkpoint().ok());
}

TEST(SequenceOutcomes, KindsOfSequencesLearnFromWhatPersonsHadBefore) {
  const std::string with = plan_text(
      "[[feature]]\nkind = \"sequence\"\nof = \"person.click\"\nas = \"item.id\"\ndecay = 1\n");
  const TempFolder folder;
  auto engine = open_engine(folder.workspace());
  ASSERT_TRUE(engine->control(items(kItems)).ok());
  ASSERT_TRUE(engine->control({put_plan_json(Plan::parse(with, "p").value())}).ok());
  play(*engine, 8000);
  const auto auc_of = [&](const std::string& kind) {
    JournalTrainingOptions options;
    options.plan = with;
    options.model.kind = kind;
    options.model.bits = 14;
    options.passes = 6;
    const auto rows = open_outcomes(folder.workspace());
    const auto made = train_journal(**rows, options);
    EXPECT_TRUE(made.ok()) << made.error().message;
    EXPECT_EQ(made->trained.model->options().sequences.size(), kind == "ftrl" ? 0U : 1U);
    return find_measure(made->report.kinds.front().measures, "auc")->value.value();
  };
  EXPECT_GT(auc_of("sasrec"), 0.8);
  EXPECT_GT(auc_of("gru"), 0.7);
  EXPECT_LT(auc_of("ftrl"), 0.6);  // what came before is the same for all that is offered
}

TEST(SequenceOutcomes, APlanWithoutThemIsNotEnough) {
  const TempFolder folder;
  auto engine = open_engine(folder.workspace());
  ASSERT_TRUE(engine->control(items(kItems)).ok());
  play(*engine, 50);
  JournalTrainingOptions options;
  options.plan = plan_text("");
  options.model.kind = "din";
  const auto rows = open_outcomes(folder.workspace());
  const auto made = train_journal(**rows, options);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().message,
            "kind din learns from sequences, and no feature of the rows is one");
}

}  // namespace
}  // namespace attune
