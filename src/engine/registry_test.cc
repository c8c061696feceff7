// Registered models: trained on the workspace's own outcomes, registered, promoted, rolled back.
#include <set>

#include "base/file.h"
#include "engine/restore.h"
#include "engine/test_registry.h"
#include "engine/test_workspace.h"

namespace attune {
namespace {

TEST_F(Registry, APromotedModelRanksAndItsDecisionsAreExplained) {
  const std::uint32_t number = registered(trained("fm"));
  ask_for_model();
  EXPECT_EQ(decided().model, "");  // registered is not promoted
  ASSERT_TRUE(engine_->promote_model("ranker", number, "better by 2 %").ok());
  tick();
  const Decision decision = decided();
  EXPECT_EQ(decision.model, "ranker@1");
  EXPECT_EQ(decision.policy, Policy::kLearned);
  expect_explained(decision);
  const auto stored = engine_->find_decision(decision.id);
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->model, "ranker@1");
}

// A calibrated one by what it says before: the map, which rises, would leave the order as it is.
TEST_F(Registry, ACalibratedModelRanksAndIsExplainedByItsParts) {
  play_long();
  const std::string path = trained("fm", 1, CalibrationKind::kPlatt);
  const auto model = Trained::load(path);
  ASSERT_TRUE(model.ok());
  ASSERT_EQ(model->calibration.kind(), CalibrationKind::kPlatt);
  ASSERT_TRUE(engine_->promote_model("ranker", registered(path), "").ok());
  ask_for_model();
  const Decision decision = decided();
  EXPECT_EQ(decision.model, "ranker@1");
  expect_explained(decision);
  for (const ShownItem& one : decision.shown) {
    EXPECT_NE(model->calibrated(one.p_click), one.p_click);
    for (const ShownItem& other : decision.shown) {
      EXPECT_EQ(one.p_click < other.p_click, model->calibration.apply(double{one.p_click}) <
                                                 model->calibration.apply(double{other.p_click}));
    }
  }
}

TEST_F(Registry, KindsOverFieldsRankAndAreExplained) {
  for (const char* kind : {"fwfm", "ffm", "deepfm"}) {
    const std::uint32_t number = registered(trained(kind));
    if (number == 1) ask_for_model();
    ASSERT_TRUE(engine_->promote_model("ranker", number, "").ok()) << kind;
    tick();
    const Decision decision = decided();
    EXPECT_EQ(decision.model, "ranker@" + std::to_string(number));
    expect_explained(decision);
  }
}

// Else fields would be nothing but a place for every feature.
TEST_F(Registry, RowsOfDecisionsHaveFields) {
  const auto rows = open_outcomes(folder_.workspace());
  ASSERT_TRUE(rows.ok());
  ASSERT_TRUE((*rows)->begin(0).ok());
  Examples block;
  ASSERT_TRUE((*rows)->next(block).ok());
  const std::set<std::uint16_t> fields(block.fields.begin(), block.fields.end());
  EXPECT_GT(fields.size(), 3U);
  EXPECT_LT(*fields.rbegin(), kLiveFields);
}

TEST_F(Registry, RowsOfItsDecisionsAreVerifiedAndTeachTheLiveLearner) {
  ASSERT_TRUE(engine_->promote_model("ranker", registered(trained("fm")), "").ok());
  ask_for_model();
  play(20);
  const auto report = engine_->verify(2);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
  EXPECT_GT(report->rows.rows, 150u);
}

TEST_F(Registry, RollsBackToTheVersionBeforeThenToTheLiveLearner) {
  const std::uint32_t first = registered(trained("ftrl"));
  const std::uint32_t second = registered(trained("fm"));
  ask_for_model();
  ASSERT_TRUE(engine_->promote_model("ranker", first, "").ok());
  ASSERT_TRUE(engine_->promote_model("ranker", second, "").ok());
  tick();
  EXPECT_EQ(decided().model, "ranker@2");
  ASSERT_TRUE(engine_->roll_back_model("ranker", "clicks fell").ok());
  tick();
  const Decision back = decided();
  EXPECT_EQ(back.model, "ranker@1");
  expect_explained(back);
  ASSERT_TRUE(engine_->roll_back_model("ranker", "").ok());
  tick();
  EXPECT_EQ(decided().model, "");
}

TEST_F(Registry, OutlivesARestartABackupAndItsRestoration) {
  ASSERT_TRUE(engine_->promote_model("ranker", registered(trained("fm")), "").ok());
  ask_for_model();
  restart();
  EXPECT_EQ(decided().model, "ranker@1");
  ASSERT_TRUE(engine_->backup(folder_.path("b.tar")).ok());
  ASSERT_TRUE(engine_->close().ok());
  engine_.reset();
  ASSERT_TRUE(
      restore_workspace(folder_.path("b.tar"), folder_.workspace() + "/keys", folder_.path("w2"))
          .ok());
  engine_ = open_engine(folder_.path("w2"));
  EXPECT_EQ(decided().model, "ranker@1");
}

TEST_F(Registry, WithoutItsFileTheLiveLearnerRanksAndSaysSo) {
  ASSERT_TRUE(engine_->promote_model("ranker", registered(trained("fm")), "").ok());
  ask_for_model();
  const Decision before = decided();
  EXPECT_EQ(before.model, "ranker@1");
  std::filesystem::remove_all(folder_.workspace() + "/registry");
  restart();
  const Decision after = decided();
  EXPECT_EQ(after.model, "");
  EXPECT_NE(after.reason.find("no version that can serve: the live learner ranks"),
            std::string::npos);
  const auto report = engine_->verify(1);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->is_equal) << report->rows.first_difference;
  EXPECT_EQ(report->rows.not_comparable, 0u);  // rows are told from the journal alone
}

TEST_F(Registry, AnotherPlanIsRefusedAndAChangedOneStopsIt) {
  const std::uint32_t number = registered(trained("fm"));
  ask_for_model();
  ASSERT_TRUE(engine_->promote_model("ranker", number, "").ok());
  Plan plan = Plan::parse(engine_->catalog()->plan(), "plan").value();
  plan.features.pop_back();
  ASSERT_TRUE(engine_->control({put_plan_json(plan)}).ok());
  tick();
  EXPECT_EQ(decided().model, "");
  ASSERT_TRUE(engine_->roll_back_model("ranker", "").ok());
  const Status again = engine_->promote_model("ranker", number, "");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().message,
            "version 1 was trained on rows of another plan than the workspace's");
}

TEST_F(Registry, RefusesWhatCannotRank) {
  const std::uint32_t number = registered(trained("mlp"));
  const Status promoted = engine_->promote_model("ranker", number, "");
  ASSERT_FALSE(promoted.ok());
  EXPECT_NE(promoted.error().message.find("kind mlp has no exact parts"), std::string::npos)
      << promoted.error().message;
  const auto twice = engine_->register_model("ranker", folder_.path("mlp1.attune"), "");
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().code, Code::kConflict);
  const auto none = engine_->register_model("ranker", folder_.path("none.attune"), "");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Code::kNotFound);
}

TEST_F(Registry, RemovesTheFileWithTheLastVersionThatHasIt) {
  const std::string path = trained("ftrl");
  ASSERT_EQ(registered(path), 1u);
  const auto other = engine_->register_model("other", path, "");
  ASSERT_TRUE(other.ok());
  const std::string file = folder_.workspace() + "/registry/" + other->id + ".model";
  ASSERT_TRUE(engine_->remove_model("ranker", 1).ok());
  EXPECT_TRUE(std::filesystem::exists(file));
  ASSERT_TRUE(engine_->remove_model("other", 1).ok());
  EXPECT_FALSE(std::filesystem::exists(file));
}

// It is told from the live learner and from the one that is promoted, on rows neither learned from.
TEST_F(Registry, TrainingComparesWithTheLiveLearnerAndWithRivals) {
  const std::string old = trained("ftrl");
  play(60);
  const auto rival = Trained::load(old);
  ASSERT_TRUE(rival.ok());
  const auto rows = open_outcomes(folder_.workspace());
  ASSERT_TRUE(rows.ok());
  JournalTrainingOptions options;
  options.workspace = "w";
  options.plan = plan_toml();
  options.model.kind = "fm";
  options.model.bits = 12;
  options.share = 0.3;
  options.rivals = {{"ranker@1", &*rival}};
  const auto made = train_journal(**rows, options);
  ASSERT_TRUE(made.ok()) << made.error().message;
  const TrainReport& report = made->report;
  EXPECT_EQ(report.rows, report.train_rows + report.test_rows);
  ASSERT_EQ(report.rivals.size(), 2u);
  EXPECT_EQ(report.rivals[0].name, "the live learner");
  EXPECT_EQ(report.rivals[0].rows, report.test_rows);
  EXPECT_EQ(report.rivals[1].name, "ranker@1");
  EXPECT_GT(report.rivals[1].rows, 50u);
  EXPECT_LE(report.rivals[1].rows, report.test_rows);
  EXPECT_GT(made->trained.learned_until, rival->learned_until);
}

// What a calibration is made of, retold with ftrl, which learns row after row.
class Calibration : public Registry {
 protected:
  void SetUp() override {
    Registry::SetUp();
    play_long();
    rows_ = open_outcomes(folder_.workspace()).value();
    options_.model.kind = "ftrl";
    options_.model.bits = 12;
    options_.calibration = CalibrationKind::kIsotonic;
    ASSERT_TRUE(rows_->begin(0).ok());
    Examples block;
    while (rows_->next(block).value()) {
      for (std::size_t row = 0; row < block.size(); ++row) append_row(block, row, all_);
    }
    ModelOptions model = options_.model;
    model.inputs = kLiveFields;
    model_ = make_model(model).value();
  }

  Examples between(std::size_t from, std::size_t to) const {
    Examples out;
    for (std::size_t row = from; row < to; ++row) append_row(all_, row, out);
    return out;
  }
  void learn(std::size_t from, std::size_t to) {
    std::vector<float> before(to - from);
    model_->learn(between(from, to), before);
  }
  // Notes what the model says of those rows.
  void say(std::size_t from, std::size_t to) {
    std::vector<float> said(to - from);
    model_->predict(between(from, to), said);
    for (std::size_t i = 0; i < said.size(); ++i) {
      labels_.push_back(all_.labels[from + i] > 0.5F ? 1 : 0);
      said_.push_back(double{said[i]});
    }
  }
  CalibrationMap map_of(std::size_t rows) const {
    return CalibrationMap::isotonic(std::span(labels_).first(rows), std::span(said_).first(rows))
        .value();
  }

  JournalTrainingOptions options_;
  std::unique_ptr<OutcomeSource> rows_;
  Examples all_;
  std::unique_ptr<Model> model_;
  std::vector<std::uint8_t> labels_;
  std::vector<double> said_;
};

TEST_F(Calibration, IsFittedOnRowsBetweenThoseLearnedFromAndThoseTestedOn) {
  const auto made = train_journal(*rows_, options_);
  ASSERT_TRUE(made.ok()) << made.error().message;
  const TrainReport& report = made->report;
  const CalibrationReport& calibration = report.kinds.front().calibration;
  EXPECT_EQ(calibration.rows, 166u);  // 15 % of the 80 % of 1,380 rows that are not tested on
  ASSERT_EQ(report.train_rows + calibration.rows + report.test_rows, all_.size());
  learn(0, report.train_rows);
  say(report.train_rows, all_.size());
  const CalibrationMap map = map_of(calibration.rows);
  Reliability before, after;
  for (std::size_t i = calibration.rows; i < said_.size(); ++i) {
    before.add(said_[i], labels_[i] != 0);
    after.add(double{static_cast<float>(map.apply(said_[i]))}, labels_[i] != 0);
  }
  EXPECT_EQ(calibration.before.error(), before.error());
  EXPECT_EQ(calibration.after.error(), after.error());
  EXPECT_NE(before.error(), after.error());
}

// What is saved knows all rows, as without calibration; its map is of what was said of each block
// of them before it was learned from.
TEST_F(Calibration, OfTheModelSavedIsFittedOnWhatItSaidBeforeItLearned) {
  const auto made = train_journal(*rows_, options_);
  ASSERT_TRUE(made.ok()) << made.error().message;
  learn(0, made->report.train_rows);
  for (std::size_t from = made->report.train_rows; from < all_.size();) {
    const std::size_t to = std::min(all_.size(), (from / kBlockRows + 1) * kBlockRows);
    say(from, to);
    learn(from, to);
    from = to;
  }
  std::string one, other;
  map_of(said_.size()).encode(one);
  made->trained.calibration.encode(other);
  EXPECT_EQ(one, other);
  options_.calibration = CalibrationKind::kNone;
  const auto plain = train_journal(*rows_, options_);
  ASSERT_TRUE(plain.ok());
  for (const Model* model : {made->trained.model.get(), plain->trained.model.get()}) {
    one.clear();
    other.clear();
    model_->encode(one);
    model->encode(other);
    EXPECT_EQ(one, other);
  }
  EXPECT_EQ(plain->trained.learned_until, made->trained.learned_until);
}

TEST_F(Calibration, HoldsOnlySoManyRowsInMemory) {
  options_.most_to_calibrate = 100;
  const auto made = train_journal(*rows_, options_);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(made->report.kinds.front().calibration.rows, 100u);
  EXPECT_EQ(made->report.train_rows + 100 + made->report.test_rows, all_.size());
  learn(0, all_.size() - 100);
  say(all_.size() - 100, all_.size());
  std::string one, other;
  map_of(said_.size()).encode(one);
  made->trained.calibration.encode(other);
  EXPECT_EQ(one, other);
}

TEST_F(Registry, SameSeedSameModel) {
  const std::string once = trained("fm"), other = trained("fm", 2);
  const auto bytes = [](const std::string& path) {
    const auto file = MappedFile::open(path);
    return file.ok() ? std::string(file->bytes()) : "";
  };
  const std::string first = bytes(once);
  EXPECT_EQ(bytes(trained("fm")), first);
  EXPECT_NE(bytes(other), first);
}

TEST_F(Registry, TrainingKeepsItsMemoryOrSaysWhatItNeeds) {
  const auto rows = open_outcomes(folder_.workspace());
  ASSERT_TRUE(rows.ok());
  JournalTrainingOptions options;
  options.workspace = "w";
  options.plan = plan_toml();
  options.model.kind = "fm";
  options.model.bits = 24;
  options.memory_bytes = 256u << 20;
  const auto made = train_journal(**rows, options);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_LE(made->trained.model->memory_bytes() + kBesideModelBytes, options.memory_bytes);
  ASSERT_FALSE(made->report.warnings.empty());
  EXPECT_NE(made->report.warnings[0].find("instead of 2^24"), std::string::npos);
  options.memory_bytes = 64u << 20;
  const auto refused = train_journal(**rows, options);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("more than the limit of 64 MB"), std::string::npos);
}

TEST(JournalTraining, SaysWhatIsMissing) {
  const TempFolder folder;
  const auto engine = open_engine(folder.workspace());
  const auto train = [&]() -> Error {
    const auto rows = open_outcomes(folder.workspace());
    EXPECT_TRUE(rows.ok());
    JournalTrainingOptions options;
    options.workspace = "w";
    const auto made = train_journal(**rows, options);
    EXPECT_FALSE(made.ok());
    return made.ok() ? Error{} : made.error();
  };
  EXPECT_EQ(train().message, "w: no decision has an outcome to learn from yet");
  ASSERT_TRUE(engine->control(items(10)).ok());
  ASSERT_TRUE(ingest(*engine, {identify("ann", "{}", begin_time(), "a")}).ok());
  ASSERT_TRUE(engine->tick(begin_time()).ok());
  ASSERT_TRUE(engine->decide(feed_for("ann")).ok());
  ASSERT_TRUE(engine->tick(begin_time() + seconds(7200)).ok());
  ASSERT_TRUE(engine->checkpoint().ok());
  EXPECT_EQ(train().message, "w: 0 positive examples in 3 shown items");
  ASSERT_TRUE(engine->close().ok());
}

}  // namespace
}  // namespace attune
