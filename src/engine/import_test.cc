// Imports: blocks of rows into the journal and the folds; staged, resumed, known again, undone.
#include "engine/importer.h"
#include "engine/test_workspace.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

ImportStart file(const std::string& digest, bool is_staged = false) {
  return {.digest = digest,
          .kind = "events",
          .format = "csv",
          .source = "a.csv",
          .options = "{}",
          .is_staged = is_staged};
}

Event row(int i) {
  Event event = click("u" + std::to_string(i % 7), "i" + std::to_string(i % 5),
                      begin_time() + seconds(i), "");
  event.properties.clear();
  event.value = i;
  return event;
}

// Rows first..last - 1 of a file; whole = it ends there.
Result<Import> play(Engine& engine, const ImportStart& start, int first, int last) {
  TRY(const auto importer, engine.import_file(start));
  if (importer->import().is_done) return importer->import();
  for (int i = first + static_cast<int>(importer->import().rows); i < last; ++i) {
    TRY_OK(importer->event(row(i)));
    TRY_OK(importer->end_row(true));
  }
  return importer->finish();
}

std::vector<Event> events_of(Engine& engine, const std::string& person) {
  const auto events = engine.events_of(IdType::kUser, person, 1000);
  EXPECT_TRUE(events.ok());
  return events.ok() ? *events : std::vector<Event>();
}

void expect_rebuilt(Engine& engine) {
  for (const int shards : {1, 2, 7}) {
    const auto report = engine.verify(shards);
    ASSERT_TRUE(report.ok()) << report.error().message;
    expect_equal(report->live, report->rebuilt);
    EXPECT_TRUE(report->is_equal);
  }
}

std::uint64_t hash_of(Engine& engine, const std::string& fold) {
  for (const FoldHash& one : hashes_of(engine)) {
    if (one.fold == fold) return one.hash;
  }
  ADD_FAILURE() << fold;
  return 0;
}

TEST(Import, StoresEventsThatAreReadBackAndRebuilt) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  ASSERT_TRUE(engine->control(items(9)).ok());
  const auto done = play(*engine, file("d1"), 0, 700);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->rows, 700u);
  EXPECT_EQ(done->events, 700u);
  EXPECT_TRUE(done->is_done);
  const auto events = events_of(*engine, "u3");
  ASSERT_EQ(events.size(), 100u);
  EXPECT_EQ(events.front().value, 696);  // newest first
  EXPECT_EQ(events.front().item_id, "i1");
  expect_rebuilt(*engine);
}

TEST(Import, FoldsAsTheSameEventsSentOneByOne) {
  const TempFolder a, b;
  const auto imported = open_engine(a.workspace()), sent = open_engine(b.workspace());
  ASSERT_TRUE(play(*imported, file("d1"), 0, 300).ok());
  std::vector<Event> events;
  for (int person = 0; person < 7; ++person) {  // the order of a block: by person
    for (int i = person; i < 300; i += 7) events.push_back(row(i));
  }
  ASSERT_TRUE(ingest(*sent, events).ok());
  ASSERT_TRUE(sent->tick(begin_time() + seconds(300)).ok());
  for (const char* fold : {"item_counters", "item_item", "learner"}) {
    EXPECT_EQ(hash_of(*imported, fold), hash_of(*sent, fold)) << fold;
  }
  auto mine = imported->profile_of(IdType::kUser, "u2");
  auto theirs = sent->profile_of(IdType::kUser, "u2");
  ASSERT_TRUE(mine.ok() && theirs.ok());
  mine->position = theirs->position;
  std::string x, y;
  mine->encode(x);
  theirs->encode(y);
  EXPECT_EQ(x, y);
}

TEST(Import, SameFileAgainChangesNothing) {
  const TempFolder folder;
  {
    const auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(play(*engine, file("d1"), 0, 100).ok());
  }
  const auto engine = open_engine(folder.workspace());
  const auto before = hashes_of(*engine);
  const auto again = play(*engine, file("d1"), 0, 100);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->number, 1u);
  expect_equal(before, hashes_of(*engine));
  const auto other = play(*engine, file("d2"), 0, 100);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(other->number, 2u);
}

// A process that ends in the middle: what it had not finished is read again.
TEST(Import, GoesOnWhereItWasCutShort) {
  const TempFolder folder;
  {
    const auto engine = open_engine(folder.workspace());
    const auto importer = engine->import_file(file("d1"));
    ASSERT_TRUE(importer.ok());
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE((*importer)->event(row(i)).ok());
      ASSERT_TRUE((*importer)->end_row(true).ok());
    }
  }
  const auto engine = open_engine(folder.workspace());
  ImportStart changed = file("d1");
  changed.options = R"({"other":1})";
  EXPECT_FALSE(engine->import_file(changed).ok());
  const auto done = play(*engine, file("d1"), 0, 100);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->number, 1u);
  EXPECT_EQ(done->rows, 100u);
  EXPECT_EQ(events_of(*engine, "u0").size(), 15u);
  expect_rebuilt(*engine);
}

TEST(Import, StagedRowsCountOnceCommitted) {
  const TempFolder folder;
  {
    const auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(play(*engine, file("d1", true), 0, 100).ok());
    EXPECT_TRUE(engine->events_of(IdType::kUser, "u1", 9)->empty());
    EXPECT_FALSE(engine->import_file(file("d1")).ok());
  }
  const auto engine = open_engine(folder.workspace());
  ASSERT_EQ(engine->imports()->size(), 1u);
  EXPECT_TRUE(engine->imports()->front().is_staged);
  const auto done = engine->commit_import(1);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->rows, 100u);
  EXPECT_EQ(events_of(*engine, "u1").size(), 15u);
  EXPECT_FALSE(engine->imports()->front().is_staged);
  EXPECT_FALSE(fs::exists(folder.workspace() + "/imports/1"));
  EXPECT_FALSE(engine->commit_import(1).ok());
  expect_rebuilt(*engine);
}

TEST(Import, UndoBeforeCommitLeavesNothing) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  ASSERT_TRUE(ingest(*engine, {click("u1", "i1", begin_time(), "m")}).ok());
  ASSERT_TRUE(play(*engine, file("d1", true), 0, 100).ok());
  ASSERT_TRUE(engine->undo_import(1).ok());
  EXPECT_TRUE(engine->imports()->empty());
  EXPECT_EQ(events_of(*engine, "u1").size(), 1u);
  EXPECT_FALSE(engine->profile_of(IdType::kUser, "u2").ok());  // never was
  expect_rebuilt(*engine);
}

TEST(Import, UndoMakesABaseWithoutIt) {
  const TempFolder a, b;
  const auto without = open_engine(b.workspace());
  ASSERT_TRUE(play(*without, file("d0"), 0, 50).ok());
  {
    const auto engine = open_engine(a.workspace());
    ASSERT_TRUE(play(*engine, file("d0"), 0, 50).ok());
    ASSERT_TRUE(engine->checkpoint().ok());
    ASSERT_TRUE(play(*engine, file("d1"), 50, 500).ok());
    ASSERT_TRUE(engine->checkpoint().ok());
    ASSERT_TRUE(engine->undo_import(2).ok());
    EXPECT_FALSE(ingest(*engine, {click("u1", "i1", begin_time(), "m")}).ok());
  }
  const auto engine = open_engine(a.workspace());
  ASSERT_NE(engine, nullptr);
  for (const char* fold : {"item_counters", "item_item"}) {
    EXPECT_EQ(hash_of(*engine, fold), hash_of(*without, fold)) << fold;
  }
  EXPECT_EQ(events_of(*engine, "u1").size(), 7u);
  EXPECT_TRUE(engine->imports()->at(1).import.is_undone);
  const auto again = engine->undo_import(2);
  ASSERT_FALSE(again.ok());
  const auto late = engine->undo_import(1);  // the base holds it now
  ASSERT_FALSE(late.ok());
  EXPECT_NE(late.error().message.find("can no longer be undone"), std::string::npos);
  ASSERT_TRUE(play(*engine, file("d1"), 50, 500).ok());  // free again
  EXPECT_EQ(events_of(*engine, "u1").size(), 72u);
  expect_rebuilt(*engine);
}

// The base was replaced, and the process ended before it removed state.db.
TEST(Import, UndoCutShortIsCompleted) {
  const TempFolder folder;
  const std::string state = folder.workspace() + "/state.db";
  {
    const auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(play(*engine, file("d1"), 0, 50).ok());
    ASSERT_TRUE(engine->checkpoint().ok());
  }
  fs::copy_file(state, folder.path("old.db"));
  {
    const auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(engine->undo_import(1).ok());
  }
  fs::remove(state);
  fs::copy_file(folder.path("old.db"), state);
  const auto engine = open_engine(folder.workspace());
  ASSERT_NE(engine, nullptr);
  EXPECT_TRUE(events_of(*engine, "u1").empty());
  expect_rebuilt(*engine);
}

TEST(Import, ErasureTakesItsEvents) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  ASSERT_TRUE(play(*engine, file("d1"), 0, 100).ok());
  ASSERT_TRUE(play(*engine, file("d2", true), 0, 100).ok());
  ASSERT_TRUE(engine->erase(IdType::kUser, "u3").ok());
  EXPECT_FALSE(engine->profile_of(IdType::kUser, "u3").ok());
  const auto done = engine->commit_import(2);  // sealed under a key that is gone
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_FALSE(engine->profile_of(IdType::kUser, "u3").ok());
  EXPECT_EQ(events_of(*engine, "u4").size(), 28u);
  expect_rebuilt(*engine);
}

TEST(Import, PersonsWhoRefuseStorageAreDropped) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  Event refusal = identify("u3", "{}", begin_time(), "m");
  refusal.context = R"({"consent":{"categoryPreferences":{"storage":false}}})";
  ASSERT_TRUE(ingest(*engine, {refusal}).ok());
  const auto done = play(*engine, file("d1"), 0, 70);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->dropped, 10u);
  EXPECT_EQ(done->events, 60u);
  expect_rebuilt(*engine);
}

TEST(Import, DecisionsComeBackBitForBit) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  const auto importer = engine->import_file(file("d1"));
  ASSERT_TRUE(importer.ok());
  Decision made;
  made.id = "d_01KCTHEQ000000000000000000";
  made.time = begin_time();
  made.policy = Policy::kRandom;
  ShownItem& shown = made.shown.emplace_back();
  shown.item_id = "i1";
  shown.propensity = 0.1 + 0.2;
  ASSERT_TRUE((*importer)->decision(IdType::kAnonymous, "row:1", made).ok());
  Event event = row(1);
  event.user_id.clear();
  event.anonymous_id = "row:1";
  event.decision_id = made.id;
  event.time = begin_time();
  ASSERT_TRUE((*importer)->event(event).ok());
  ASSERT_TRUE((*importer)->end_row(true).ok());
  ASSERT_TRUE((*importer)->finish().ok());
  const auto found = engine->find_decision(made.id);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->shown.front().propensity, 0.1 + 0.2);
  EXPECT_NE(engine->learning_json().find(R"("random":{"impressions":1,"clicks":1})"),
            std::string::npos)
      << engine->learning_json();
  expect_rebuilt(*engine);
}

}  // namespace
}  // namespace attune
