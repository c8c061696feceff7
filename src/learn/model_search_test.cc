#include "learn/model_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/rng.h"
#include "learn/table_training.h"

namespace attune {
namespace {

class ModelSearch : public testing::Test {
 protected:
  ModelSearch() {
    std::string name = (std::filesystem::temp_directory_path() / "attune-search-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~ModelSearch() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  // y is yes where the signs of a and b differ: no weight of one of them says anything.
  std::string signs(const std::string& name, std::size_t n, bool is_turned = false) const {
    Rng rng(is_turned ? 5 : 4);
    std::string text = "a,b,y\n";
    for (std::size_t i = 0; i < n; ++i) {
      const double a = rng.normal(), b = rng.normal();
      const bool is_yes = ((a > 0) != (b > 0)) != is_turned;
      text += std::to_string(a) + "," + std::to_string(b) + (is_yes ? ",yes\n" : ",no\n");
    }
    return write(name, text);
  }
  static TableTrainingOptions options(const std::string& file, std::size_t settings = 3) {
    TableTrainingOptions options;
    options.file = file;
    options.target = "y";
    options.positive = "yes";
    options.search = TableTrainingOptions::Search{.settings = settings, .budget_s = 30};
    return options;
  }
  static std::string bytes(const TrainedModel& of) {
    std::string out;
    of.trained.model->encode(out);
    return out;
  }

  std::filesystem::path folder_;
};

TEST_F(ModelSearch, ChoosesAKindThatCanSeeWhatIsThere) {
  const auto done = train_table(options(signs("s.csv", 4000)));
  ASSERT_TRUE(done.ok()) << done.error().message;
  const ChoiceReport& choice = done->report.choice;
  const std::string best = done->report.kinds.front().kind;
  EXPECT_TRUE(is_tree_kind(best)) << best;
  EXPECT_EQ(done->trained.model->kind(), best);
  EXPECT_EQ(choice.candidates.front().kind, best);
  EXPECT_LT(choice.candidates.front().loss, 0.3 * choice.baseline);
  EXPECT_NE(choice.reason.find(best), std::string::npos);
  EXPECT_EQ(done->report.kinds.size(), 7);  // ftrl, fm, fwfm, tree, mlp, trees, forest
  EXPECT_EQ(choice.candidates.size(), 21);
}

// A clock that goes on by so much each time it is asked: two times a trial.
struct Clock {
  double step_s, now_s = 0;
  double operator()() { return now_s += step_s; }
};

std::vector<std::string> kinds_tried(const TrainedModel& done) {
  std::vector<std::string> kinds;
  for (const CandidateReport& one : done.report.choice.candidates) kinds.push_back(one.kind);
  std::ranges::sort(kinds);
  kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
  return kinds;
}

// Slow kinds are tried once all others have been tried on all rows.
TEST_F(ModelSearch, SlowKindsWaitForTime) {
  TableTrainingOptions of = options(signs("s.csv", 16'000), 1);
  std::vector<std::string> kinds = {"fm", "forest", "ftrl", "fwfm", "mlp", "tree", "trees"};
  of.clock_s = Clock{0.5};  // half of 30 s are over before all others had all rows
  const auto few = train_table(of);
  ASSERT_TRUE(few.ok()) << few.error().message;
  EXPECT_EQ(kinds_tried(*few), kinds);
  of.clock_s = Clock{0.01};
  const auto more = train_table(of);
  ASSERT_TRUE(more.ok()) << more.error().message;
  kinds.insert(kinds.begin(), "finalmlp");
  kinds.insert(kinds.begin(), "deepfm");
  EXPECT_EQ(kinds_tried(*more), kinds);
}

// A clock by which a trial takes so long by its kind and rows.
struct PacedClock {
  explicit PacedClock(TableTrainingOptions& of) {
    of.clock_s = [this] { return now_s += step_s; };
    of.on_stage = [this](std::string_view stage, const FitProgress& /*progress*/) {
      if (!stage.starts_with("choosing")) return;  // "choosing: trees on 1481 rows"
      const double rows = std::stod(std::string(stage.substr(stage.find(" on ") + 4)));
      step_s = rows * (stage.find("trees") != std::string_view::npos ? 1e-3 : 1e-5);
    };
  }
  double now_s = 0, step_s = 0;
};

std::map<std::string, std::uint64_t> most_rows(const TrainedModel& done) {
  std::map<std::string, std::uint64_t> most;
  for (const CandidateReport& one : done.report.choice.candidates) {
    most[one.kind] = std::max(most[one.kind], one.rows);
  }
  return most;
}

// Each kind gets the same time, and a fast one learns from more rows by it.
TEST_F(ModelSearch, FastKindsLearnFromMoreRows) {
  TableTrainingOptions of = options(signs("s.csv", 40'000), 2);
  of.kinds = {"ftrl", "tree", "trees"};
  const PacedClock clock(of);
  const auto done = train_table(of);
  ASSERT_TRUE(done.ok()) << done.error().message;
  auto rows = most_rows(*done);
  EXPECT_EQ(rows["ftrl"], 25'600);
  EXPECT_EQ(rows["tree"], 25'600);
  EXPECT_LT(rows["trees"], 25'600);
  EXPECT_GT(rows["trees"], 0);
}

// Its time is over, but on few rows it is far better than what had all: it gets all, too.
TEST_F(ModelSearch, ThePromisingGetsAllRowsAllTheSame) {
  TableTrainingOptions of = options(signs("s.csv", 16'000), 3);
  of.kinds = {"ftrl", "trees"};
  of.search->budget_s = 42;
  const PacedClock clock(of);
  const auto done = train_table(of);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(most_rows(*done)["trees"], 10'240);
  EXPECT_EQ(done->report.choice.candidates.front().kind, "trees");
  of.search->budget_s = 36;  // a quarter of it is no time for that
  const PacedClock again(of);
  const auto less = train_table(of);
  ASSERT_TRUE(less.ok()) << less.error().message;
  EXPECT_LT(most_rows(*less)["trees"], 10'240);
}

TEST_F(ModelSearch, AnyNumberOfThreadsChoosesTheSame) {
  TableTrainingOptions of = options(signs("s.csv", 2400), 2);
  of.kinds = {"ftrl", "fm", "fwfm", "mlp"};
  const auto one = train_table(of);
  of.search->threads = 3;
  const auto three = train_table(of);
  ASSERT_TRUE(one.ok() && three.ok());
  EXPECT_EQ(bytes(*one), bytes(*three));
  EXPECT_EQ(one->report.choice.reason, three->report.choice.reason);
  EXPECT_EQ(one->report.choice.candidates.size(), three->report.choice.candidates.size());
}

// What cannot be had is said once, whoever met it.
TEST_F(ModelSearch, AFaultOfAThreadEndsAll) {
  TableTrainingOptions of = options(signs("s.csv", 1500), 2);
  of.search->threads = 2;
  of.kinds = {"ftrl", "fm"};
  of.model.settings = {{"k", 4}};  // which ftrl has not
  const auto done = train_table(of);
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().message.find("ftrl"), std::string::npos) << done.error().message;
}

TEST_F(ModelSearch, EachStageLearnsFromMoreAndTheLastHasOneOfAKind) {
  TableTrainingOptions of = options(signs("s.csv", 8000), 6);
  of.kinds = {"ftrl", "tree"};
  const auto done = train_table(of);
  ASSERT_TRUE(done.ok());
  std::vector<std::uint64_t> rows;
  for (const CandidateReport& one : done->report.choice.candidates) rows.push_back(one.rows);
  EXPECT_TRUE(std::is_sorted(rows.rbegin(), rows.rend()));
  EXPECT_EQ(std::count(rows.begin(), rows.end(), rows.front()), 2);
  EXPECT_EQ(rows.front() / 3, rows[2]);
  EXPECT_EQ(rows[2] / 3, rows[4]);
}

TEST_F(ModelSearch, SameSeedSameModelWhateverTheTestSays) {
  TableTrainingOptions one = options(signs("s.csv", 1500), 2), two = one;
  one.test_file = signs("t.csv", 300);
  two.test_file = signs("turned.csv", 300, true);
  const auto a = train_table(one), b = train_table(two);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(bytes(*a), bytes(*b));
  EXPECT_EQ(a->report.choice.reason, b->report.choice.reason);
}

TEST_F(ModelSearch, NamedKindsAloneAreSearched) {
  TableTrainingOptions of = options(signs("s.csv", 1500), 4);
  of.kinds = {"tree", "ftrl"};
  const auto done = train_table(of);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->report.kinds.size(), 2);
  EXPECT_EQ(done->report.kinds.front().kind, "tree");
  of.kinds = {"linear"};
  EXPECT_FALSE(train_table(of).ok());
}

TEST_F(ModelSearch, WhatIsNamedInVainIsSaid) {
  TableTrainingOptions of = options(signs("s.csv", 1500), 2);
  of.kinds = {"ftrl", "tre"};
  auto done = train_table(of);
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().message.find("kind tre is none"), std::string::npos);
  of.kinds = {"ftrl", "gru", "dcnv2"};  // without sequences
  done = train_table(of);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(kinds_tried(*done), (std::vector<std::string>{"dcnv2", "ftrl"}));
  EXPECT_TRUE(std::ranges::any_of(done->report.warnings, [](const std::string& warning) {
    return warning.find("gru was not tried") != std::string::npos;
  }));
}

TEST_F(ModelSearch, FoldsChooseForThemselves) {
  TableTrainingOptions of = options(signs("s.csv", 1500), 2);
  of.folds = 3;
  of.kinds = {"ftrl", "tree"};
  const auto done = train_table(of);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->report.kinds.front().folds.size(), 3);
  EXPECT_EQ(done->report.train_rows, 1500);
}

TEST_F(ModelSearch, NumbersHaveTheirKinds) {
  Rng rng(3);
  std::string text = "a,b,y\n";
  for (int i = 0; i < 3000; ++i) {
    const double a = rng.normal(), b = rng.normal();
    text += std::to_string(a) + "," + std::to_string(b) + "," + std::to_string(10 * a * b) + "\n";
  }
  TableTrainingOptions of = options(write("n.csv", text), 2);
  of.positive = "";
  const auto done = train_table(of);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->report.kinds.size(), 4);  // linear, tree, trees, forest
  EXPECT_TRUE(is_tree_kind(done->report.kinds.front().kind));
  EXPECT_FALSE(done->trained.model->is_probability());
}

TEST_F(ModelSearch, TooFewRowsChooseNothing) {
  const auto done = train_table(options(signs("s.csv", 60)));
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->report.kinds.front().kind, "ftrl");
  EXPECT_TRUE(done->report.choice.reason.empty());
  EXPECT_NE(done->report.warnings.front().find("too few to choose"), std::string::npos);
}

TEST_F(ModelSearch, OutOfTimeIsSaid) {
  double now = 0;
  TableTrainingOptions of = options(signs("s.csv", 1500), 2);
  of.clock_s = [&] { return now += 10; };
  const auto done = train_table(of);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->report.kinds.size(), 1);  // no time for rivals
  const auto& warnings = done->report.warnings;
  EXPECT_TRUE(std::any_of(warnings.begin(), warnings.end(), [](const std::string& warning) {
    return warning.find("the time for choosing ended") != std::string::npos;
  }));
}

TEST_F(ModelSearch, GoesOnFromWhatWasTriedAndChoosesTheSame) {
  const std::string file = signs("s.csv", 3000);
  const auto whole = train_table(options(file));
  ASSERT_TRUE(whole.ok());
  TableTrainingOptions how = options(file);
  how.search->resume = folder_ / "trials";
  ASSERT_TRUE(train_table(how).ok());
  std::ifstream in(how.search->resume);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  ASSERT_GT(std::count(all.begin(), all.end(), '\n'), 20);
  for (const double share : {0.01, 0.5, 1.0}) {
    std::ofstream(how.search->resume)
        << all.substr(0, static_cast<std::size_t>(share * static_cast<double>(all.size())));
    const auto again = train_table(how);
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->report.choice.reason, whole->report.choice.reason);
    ASSERT_EQ(again->report.choice.candidates.size(), whole->report.choice.candidates.size());
    for (std::size_t i = 0; i < again->report.choice.candidates.size(); ++i) {
      EXPECT_EQ(again->report.choice.candidates[i].loss, whole->report.choice.candidates[i].loss);
      EXPECT_EQ(again->report.choice.candidates[i].passes,
                whole->report.choice.candidates[i].passes);
    }
    EXPECT_EQ(bytes(*again), bytes(*whole));
  }
  how.model.seed = 9;
  EXPECT_NE(train_table(how).error().message.find("with other options"), std::string::npos);
  how = options(signs("s.csv", 3001));
  how.search->resume = folder_ / "trials";
  EXPECT_NE(train_table(how).error().message.find("over other data"), std::string::npos);
}

}  // namespace
}  // namespace attune
