// Replay equals live: random histories of everything that can happen to a workspace, rebuilt from
// base and journal with other numbers of shards, and compared fold by fold.
#include "engine/folds.h"
#include "engine/restore.h"
#include "engine/test_workspace.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

// Decisions, clicks, merges, un-merges, duplicates, late events, imports staged or not and undone,
// erasures, consent, checkpoints, retention, restarts, crashes, backups and their restoration, all
// from one seed.
class History {
 public:
  History(const TempFolder& folder, std::uint64_t seed) : folder_(folder), rng_(seed) {
    options_ = still_options(folder.workspace(), 1 + static_cast<int>(rng_.below(3)));
    options_.log_file_bytes = 16 << 10;  // so that retention finds whole files to drop
    options_.retention_s = 2 * 3600;
    engine_ = open_engine(options_);
  }
  Engine& engine() { return *engine_; }
  int cuts() const { return cuts_; }
  int imports() const { return imports_; }

  void play(int steps) {
    ASSERT_TRUE(engine_->control(items(400)).ok());
    for (steps_ = steps; step_ < steps; ++step_) {
      now_ += seconds(rng_.uniform() * 120);
      step();
      if (testing::Test::HasFatalFailure()) return;
    }
    for (int i = 0; i < 5; ++i) visit();  // after the last cut, so that their rows are comparable
    ASSERT_TRUE(engine_->tick(now_).ok());
    expect_rebuilt(1);
  }

  // Rebuilt from base and journal, all is as it is live.
  void expect_rebuilt(int shards) {
    const auto report = engine_->verify(shards);
    ASSERT_TRUE(report.ok()) << report.error().message;
    expect_equal(report->live, report->rebuilt);
    EXPECT_EQ(report->rows.differing, 0u) << report->rows.first_difference;
    EXPECT_TRUE(report->is_equal);
    rows_ += report->rows.rows;
  }
  std::uint64_t rows() const { return rows_; }

 private:
  std::string person() { return "person-" + std::to_string(rng_.below(20)); }
  std::string cookie() { return "cookie-" + std::to_string(rng_.below(10)); }

  void step() {
    const std::uint64_t what = rng_.below(100);
    if (what < 35) {
      visit();
    } else if (what < 76) {
      store();
    } else if (what < 78) {
      import();
    } else if (what < 79) {
      settle_imports();
    } else if (what < 88) {
      ASSERT_TRUE(engine_->tick(now_).ok());
    } else if (what < 90) {
      (void)engine_->unlink(person(), cookie());  // unknown ones are refused, which is fine
    } else if (what < 92) {
      expect_rebuilt(2);
      cuts_ += engine_->erase(IdType::kUser, person()).ok() ? 1 : 0;
    } else if (what < 94) {
      ASSERT_TRUE(engine_->checkpoint().ok());
    } else if (what < 96) {
      const auto dropped = engine_->retain();
      ASSERT_TRUE(dropped.ok()) << dropped.error().message;
      cuts_ += *dropped > 0 ? 1 : 0;
    } else if (what < 97) {
      restart();
    } else if (what < 98) {
      back_up();
    } else if (what < 99) {
      restore();
    } else {
      crash();
    }
  }

  void visit() {
    const std::string who = person();
    const auto decision = engine_->decide(feed_for(who));
    ASSERT_TRUE(decision.ok()) << decision.error().message;
    for (const ShownItem& shown : decision->shown) {
      if (!rng_.chance(0.3)) continue;
      Event event = click(who, shown.item_id, now_, "d" + std::to_string(step_) + shown.item_id);
      event.decision_id = decision->id;
      ASSERT_TRUE(ingest(*engine_, {event}).ok());
    }
  }

  void store() {
    const Time when = rng_.chance(0.2) ? now_ - seconds(86400) : now_;
    const std::string id = "m" + std::to_string(rng_.below(static_cast<std::uint64_t>(steps_)));
    Event event = click(person(), "i" + std::to_string(rng_.below(50)), when, id);
    if (rng_.chance(0.1)) event = identify(person(), R"({"plan":"gold","age":31})", when, id);
    if (rng_.chance(0.1)) event.anonymous_id = cookie();
    if (rng_.chance(0.05)) {
      event.context = rng_.chance(0.5)
                          ? R"({"consent":{"categoryPreferences":{"personalization":false}}})"
                          : R"({"consent":{"categoryPreferences":{"personalization":true}}})";
    }
    ASSERT_TRUE(ingest(*engine_, {event}).ok());
  }

  // Rows of persons known and new; now and then cut short, to go on when the same file comes again.
  void import() {
    const std::string digest = "file-" + std::to_string(rng_.below(6));
    const auto importer = engine_->import_file({.digest = digest,
                                                .kind = "events",
                                                .format = "csv",
                                                .source = digest,
                                                .options = "{}",
                                                .is_staged = rng_.chance(0.4)});
    if (!importer.ok()) return;  // it is staged already
    if ((*importer)->import().is_done) return;
    for (std::uint64_t n = 0; n < 40; ++n) {
      Event event =
          click(rng_.chance(0.5) ? person() : "far-" + std::to_string(rng_.below(9)),
                "i" + std::to_string(rng_.below(50)), now_ - seconds(rng_.uniform() * 9e4), "");
      if (rng_.chance(0.3)) event.verb = Verb::kImpression;
      ASSERT_TRUE((*importer)->event(event).ok());
      ASSERT_TRUE((*importer)->end_row(true).ok());
    }
    if (rng_.chance(0.2)) return;
    const auto done = (*importer)->finish();
    ASSERT_TRUE(done.ok()) << done.error().message;
    ++imports_;
  }

  void settle_imports() {
    const auto all = engine_->imports();
    ASSERT_TRUE(all.ok()) << all.error().message;
    if (all->empty()) return;
    const auto& one = (*all)[rng_.below(all->size())];
    if (one.is_staged && rng_.chance(0.7)) {
      (void)engine_->commit_import(one.import.number);  // one cut short is refused
    } else if (engine_->undo_import(one.import.number).ok()) {
      restart();
      expect_rebuilt(2);
    }
  }
  void restart() {
    ASSERT_TRUE(engine_->close().ok());
    engine_.reset();
    engine_ = open_engine(options_);
    ASSERT_NE(engine_, nullptr);
  }

  void back_up() {
    archive_ = folder_.path("backup-" + std::to_string(step_) + ".tar");
    const auto report = engine_->backup(archive_);
    ASSERT_TRUE(report.ok()) << report.error().message;
  }

  // The last backup goes on with the keys of now: what came after it is lost but for its erasures.
  void restore() {
    if (archive_.empty()) back_up();
    ASSERT_TRUE(engine_->close().ok());
    engine_.reset();
    const std::string restored = folder_.path("restored-" + std::to_string(step_));
    const auto report = restore_workspace(archive_, options_.workspace + "/keys", restored);
    ASSERT_TRUE(report.ok()) << report.error().message;
    fs::remove_all(options_.workspace);
    options_.workspace = restored;
    engine_ = open_engine(options_);
    ASSERT_NE(engine_, nullptr);
    archive_.clear();  // older than its own restoration
    expect_rebuilt(7);
  }

  // The files as they are now, under another name: what a killed process leaves.
  void crash() {
    const std::string copy = folder_.path("crashed-" + std::to_string(step_));
    fs::copy(options_.workspace, copy, fs::copy_options::recursive);
    (void)engine_->close();
    engine_.reset();
    fs::remove_all(options_.workspace);
    options_.workspace = copy;
    engine_ = open_engine(options_);
    ASSERT_NE(engine_, nullptr);
  }

  const TempFolder& folder_;
  Rng rng_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
  Time now_ = begin_time();
  int step_ = 0, steps_ = 0, cuts_ = 0, imports_ = 0;
  std::uint64_t rows_ = 0;
  std::string archive_;
};

class Replay : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Replay, EqualsLiveForAnyNumberOfShards) {
  const TempFolder folder;
  History history(folder, GetParam());
  history.play(500);
  if (HasFatalFailure()) return;
  EXPECT_GT(history.engine().counts().updates, 0u);
  for (const int shards : {2, 7}) history.expect_rebuilt(shards);
  EXPECT_GT(history.rows(), 0u);
  EXPECT_GT(history.imports(), 0);
}
INSTANTIATE_TEST_SUITE_P(Seeds, Replay, testing::Range<std::uint64_t>(1, 13));

TEST(Replay, FindsAFoldThatDiffers) {
  const TempFolder folder;
  {
    const auto engine = open_engine(folder.workspace());
    ASSERT_TRUE(engine->control(items(9)).ok());
    ASSERT_TRUE(ingest(*engine, {click("ann", "i1", begin_time(), "1")}).ok());
    ASSERT_TRUE(engine->checkpoint().ok());
  }
  {  // what is stored of item counters is replaced by that of a workspace without events
    const auto store = open_sqlite_store(folder.workspace() + "/state.db");
    ASSERT_TRUE(store.ok());
    std::string none;
    encode_counters(Counters(), none);
    ASSERT_TRUE((*store)->begin().ok());
    ASSERT_TRUE((*store)->put_fold("counters", none).ok());
    ASSERT_TRUE((*store)->finish((*store)->position()).ok());
  }
  const auto report = open_engine(folder.workspace())->verify(1);
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->is_equal);
}

}  // namespace
}  // namespace attune
