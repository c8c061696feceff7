// The rows in decision records are recomputed bit for bit, and a tampered one is found.
#include "engine/test_workspace.h"
#include "event/decision.h"
#include "journal/journal.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

// Visits and clicks, so that rows hold rates, interests and neighbours. Returns decisions made.
int live(Engine& engine, int rounds) {
  Rng rng(3);
  Time now = begin_time();
  EXPECT_TRUE(engine.control(items(300)).ok());
  for (int i = 0; i < rounds; ++i) {
    const std::string who = "p" + std::to_string(rng.below(4));
    const auto decision = engine.decide(feed_for(who));
    EXPECT_TRUE(decision.ok());
    now += seconds(30);
    Event event = click(who, decision->shown.at(0).item_id, now, "m" + std::to_string(i));
    event.anonymous_id = "c" + std::to_string(rng.below(4));
    EXPECT_TRUE(ingest(engine, {event}).ok());
  }
  return rounds;
}

// Writes the journal again, with each decision as `change` leaves it; the positions stay.
void rewrite(const std::string& workspace, const std::function<void(Decision&)>& change) {
  const auto keys = open_keyring(workspace + "/keys", false);
  ASSERT_TRUE(keys.ok());
  {
    const auto reader = open_journal_reader(workspace + "/journal");
    const auto writer = open_file_journal({.directory = workspace + "/changed"});
    ASSERT_TRUE(reader.ok() && writer.ok());
    const auto cursor = (*reader)->read(1);
    for (auto stored = (*cursor)->next(); stored.ok() && *stored; stored = (*cursor)->next()) {
      Record record = (*stored)->record;
      if (record.kind == Kind::kDecision) {
        auto decision = decode_decision(*(*keys)->open(record));
        ASSERT_TRUE(decision.ok());
        change(*decision);
        record.payload.clear();
        encode_decision(*decision, record.payload);
        ASSERT_TRUE((*keys)->seal(record).ok());
      }
      ASSERT_TRUE((*writer)->append({&record, 1}).ok());
    }
    ASSERT_TRUE((*writer)->flush().ok());
  }
  fs::remove_all(workspace + "/journal");
  fs::rename(workspace + "/changed", workspace + "/journal");
}

TEST(RowCheck, EveryRowIsRecomputedAndATamperedOneIsFound) {
  const TempFolder folder;
  constexpr int kRounds = 60;
  { live(*open_engine(folder.workspace()), kRounds); }
  rewrite(folder.workspace(), [](Decision&) {});
  {
    const auto engine = open_engine(folder.workspace());
    const auto report = engine->verify(2);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
    EXPECT_EQ(report->rows.decisions, kRounds);
    EXPECT_EQ(report->rows.rows, kRounds * 3);
    EXPECT_EQ(report->rows.not_comparable, 0u);
  }
  int seen = 0;
  std::string id;
  rewrite(folder.workspace(), [&](Decision& decision) {
    if (++seen != kRounds / 2) return;
    id = decision.id;
    Part& part = decision.shown[1].parts.back();
    part.value = std::nextafter(part.value, 10.0F);
  });
  const auto report = open_engine(folder.workspace())->verify(1);
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->is_equal);
  EXPECT_EQ(report->rows.differing, 1u);
  EXPECT_NE(report->rows.first_difference.find(id), std::string::npos)
      << report->rows.first_difference;
}

TEST(RowCheck, DecisionsBeforeTheBaseAreCountedNotSkipped) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  const auto before = static_cast<std::uint64_t>(live(*engine, 40));
  const std::uint64_t of_erased = [&] {
    std::uint64_t own = 0;
    EXPECT_TRUE(engine
                    ->export_person(IdType::kUser, "p1",
                                    [&](std::string_view line) {
                                      own += line.starts_with(R"({"decision_id")") ? 1 : 0;
                                    })
                    .ok());
    return own;
  }();
  ASSERT_GT(of_erased, 0u);
  ASSERT_TRUE(engine->erase(IdType::kUser, "p1").ok());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(engine->decide(feed_for("p2")).ok());
  const auto report = engine->verify(1);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
  EXPECT_EQ(report->rows.erased + report->rows.not_comparable, before);
  EXPECT_GE(report->rows.erased, of_erased);
  EXPECT_EQ(report->rows.decisions, 10u) << "what was published after the cut is known again";
}

}  // namespace
}  // namespace attune
