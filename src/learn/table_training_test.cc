#include "learn/table_training.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/rng.h"
#include "learn/explanation.h"
#include "learn/row_groups.h"
#include "learn/stream_training.h"
#include "learn/table_learner.h"
#include "learn/table_split.h"
#include "learn/target.h"
#include "model/model_file.h"

namespace attune {
namespace {

class TableTest : public testing::Test {
 protected:
  TableTest() {
    std::string name = (std::filesystem::temp_directory_path() / "attune-table-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~TableTest() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  LoadedTable load(const std::string& path) const {
    auto reader = TableReader::open(path, {});
    CHECK(reader.ok());
    auto table = LoadedTable::read(**reader, path);
    CHECK(table.ok());
    return std::move(table).value();
  }
  // People of city "a" mostly buy.
  std::string shop(std::size_t n) const {
    Rng rng(2);
    std::string text = "city,age,y\n";
    for (std::size_t i = 0; i < n; ++i) {
      const bool is_a = rng.chance(0.5);
      text += (is_a ? "a," : "b,") + std::to_string(20 + rng.below(40)) +
              (rng.chance(is_a ? 0.8 : 0.2) ? ",yes\n" : ",no\n");
    }
    return write("shop.csv", text);
  }
  TableTrainingOptions options(const std::string& file) const {
    TableTrainingOptions options;
    options.file = file;
    options.target = "y";
    return options;
  }

  std::filesystem::path folder_;
};

TEST_F(TableTest, TargetTellsYesFromNoAndNumbers) {
  const LoadedTable table = load(
      write("t.csv",
            "flag,word,code,price,rare\n1,yes,-1,2.5,x\n0,no,1,3,x\n0,no,1,4,z\n1,yes,-1,9,x\n"));
  const auto of = [&](const char* name) { return *find_target(table, {name, "", "", false}); };
  EXPECT_EQ(of("flag").positive, "1");
  EXPECT_EQ(of("word").positive, "yes");
  EXPECT_EQ(of("code").positive, "1");
  EXPECT_FALSE(of("word").is_guessed);
  EXPECT_EQ(of("rare").positive, "z");
  EXPECT_TRUE(of("rare").is_guessed);
  EXPECT_FALSE(of("price").is_binary);
  EXPECT_DOUBLE_EQ(of("price").mean, 4.625);
  EXPECT_EQ(find_target(table, {"rare", "x", "", false})->positives, 3u);
}

TEST_F(TableTest, SameSeedSameModelAndItsPartsAreItsLogit) {
  const auto first = train_table(options(shop(800))), second = train_table(options(shop(800)));
  ASSERT_TRUE(first.ok()) << first.error().message;
  std::string bytes, again;
  first->trained.model->encode(bytes);
  second->trained.model->encode(again);
  EXPECT_EQ(bytes, again);
  const std::vector<std::string_view> cells = {"a", "31", "yes"};
  Examples row;
  std::vector<std::string> names;
  first->trained.rows->append(cells, row);
  first->trained.rows->name(
      cells, [&](std::uint32_t, std::string_view name) { names.emplace_back(name); });
  const auto told = explain_row(first->trained, row, names);
  ASSERT_TRUE(told.ok());
  double sum = told->bias;
  for (const RowPart& part : told->parts) sum += part.part;
  EXPECT_NEAR(1 / (1 + std::exp(-sum)), told->prediction, 1e-6);
  EXPECT_EQ(told->parts.front().name, "city=a");
}

TEST_F(TableTest, WhatIsFittedComesFromTheRowsLearnedFromAlone) {
  std::string text = "x,y\n";
  for (int i = 0; i < 40; ++i) text += std::to_string(i % 7) + "," + std::to_string(i % 2) + "\n";
  const std::string plain = write("plain.csv", text);
  const std::string wild = write("wild.csv", text + "1000000,1\n");  // row 40, not learned from
  std::string bytes[2];
  for (int i = 0; i < 2; ++i) {
    const LoadedTable table = load(i == 0 ? plain : wild);
    Plan plan;
    PlanFeature number;
    number.kind = FeatureKind::kNumber;
    number.of = {"column.x"};
    plan.features = {number};
    plan.target = "y";
    TableLearnOptions learn;
    learn.passes = 2;
    const auto learned = learn_table(table, plan, every_row(40), learn);
    ASSERT_TRUE(learned.ok()) << learned.error().message;
    learned->trained.model->encode(bytes[i]);
    learned->trained.rows->encode(bytes[i]);
  }
  EXPECT_EQ(bytes[0], bytes[1]);
}

TEST_F(TableTest, AModelFileOfAnOlderVersionIsRead) {
  auto made = train_table(options(shop(600)));
  ASSERT_TRUE(made.ok()) << made.error().message;
  made->trained.has_numbers = true;
  const std::string path = folder_ / "m", older = folder_ / "o";
  ASSERT_TRUE(made->trained.save(path).ok());
  EXPECT_TRUE(Trained::load(path)->has_numbers);
  const auto file = ModelFile::open(path);
  std::vector<ModelSection> sections;
  std::string about(file->section("train").value());
  about[0] = 2;
  about.pop_back();
  for (const char* name : {"model", "report", "plan", "table_rows"}) {
    sections.push_back({name, file->section(name).value()});
  }
  sections.push_back({"train", about});
  ASSERT_TRUE(store_model_file(older, sections).ok());
  const auto back = Trained::load(older);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_FALSE(back->has_numbers);
  EXPECT_EQ(back->known_rate, made->trained.known_rate);
}

TEST_F(TableTest, AModelFileIsReadBackAsItWas) {
  for (const char* kind : {"ftrl", "mlp"}) {
    TableTrainingOptions training = options(shop(600));
    training.kinds = {kind};
    auto made = train_table(training);
    ASSERT_TRUE(made.ok()) << made.error().message;
    const std::string path = folder_ / "m";
    ASSERT_TRUE(made->trained.save(path).ok());
    const auto back = Trained::load(path);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->input, kTableInput);
    EXPECT_EQ(back->known_rate, made->trained.known_rate);
    const LoadedTable table = load(training.file);
    const auto rows = every_row(table.rows());
    EXPECT_EQ(predict_table(*back, table, rows)->predicted,
              predict_table(made->trained, table, rows)->predicted);
  }
}

TEST_F(TableTest, FoldsAndTimesAreCheckedBeforeAnythingIsLearned) {
  const LoadedTable table = load(write("t.csv", "t,y\n1,1\n2,0\n3,1\n4,0\n5,1\n"));
  const LabelledTable labelled(table, *find_target(table, {"y", "", "", false}));
  EXPECT_EQ(split_table(labelled, {.folds = 6}).error().message,
            "--folds 6: only 5 rows have a label");
  const auto late = split_table(labelled, {0, 0.4, "t", 1});
  ASSERT_TRUE(late.ok());
  EXPECT_EQ(late->splits[0].test, (std::vector<std::uint32_t>{3, 4}));
  EXPECT_EQ(late->measured_on, "the latest 2 rows by t");
}

TEST_F(TableTest, AStreamWithACacheLearnsWhatItLearnsWithout) {
  std::string text = "no label |a x\n";
  for (int i = 0; i < 3000; ++i) {
    text += i % 3 == 0 ? "1" : "-1";
    text += " |a city_" + std::to_string(i % 3) + " |b n:" + std::to_string(i % 17) + "\n";
  }
  StreamTrainingOptions training;
  training.file = write("rows.vw", text);
  training.format_name = "vw";
  training.format = ExampleFormat::kVw;
  training.passes = 3;
  std::string bytes[3];
  for (std::string& one : bytes) {
    const bool is_reused = !training.cache.empty() && std::filesystem::exists(training.cache);
    const auto made = train_stream(training);
    ASSERT_TRUE(made.ok()) << made.error().message;
    EXPECT_EQ(made->report.train_rows, 3000u);
    EXPECT_EQ(made->report.bad_rows, 1u);
    ASSERT_EQ(made->report.first_bad.size(), 1u);
    EXPECT_EQ(made->report.first_bad[0].line, 1u);
    EXPECT_EQ(made->report.is_cache_reused, is_reused);
    EXPECT_EQ(made->trained.fields, (std::vector<std::string>{"a", "b"}));
    EXPECT_GT(*find_measure(made->report.kinds[0].measures, "auc")->value, 0.95);
    made->trained.model->encode(one);
    training.cache = folder_ / "cache";
  }
  EXPECT_EQ(bytes[0], bytes[1]);
  EXPECT_EQ(bytes[0], bytes[2]);
}

// Passes far beyond what helps make a network too sure of itself; rows held back take that back,
// the order stays, and the file keeps the map.
TEST_F(TableTest, RowsHeldBackCalibrate) {
  Rng rng(4);
  std::string text = "a,b,c,d,e,f,g,h,i,j,k,l,y\n";  // the first four tell, weakly
  for (int i = 0; i < 3000; ++i) {
    std::string row;
    double sum = 0;
    for (int k = 0; k < 12; ++k) {
      const double x = rng.normal();
      if (k < 4) sum += x / 2;
      row += std::to_string(x) + ",";
    }
    text += row + (rng.chance(1 / (1 + std::exp(-sum))) ? "1\n" : "0\n");
  }
  TableTrainingOptions training = options(write("wide.csv", text));
  training.kinds = {"mlp"};
  training.passes = 60;
  for (const auto kind : {CalibrationKind::kIsotonic, CalibrationKind::kPlatt}) {
    training.calibration = kind;
    auto made = train_table(training);
    ASSERT_TRUE(made.ok()) << made.error().message;
    const CalibrationReport& report = made->report.kinds.front().calibration;
    EXPECT_NEAR(static_cast<double>(report.rows), 0.15 * 2400, 60);
    EXPECT_EQ(made->report.train_rows + report.rows + made->report.test_rows, 3000u);
    EXPECT_EQ(report.after.rows(), made->report.test_rows);
    EXPECT_LT(*report.after.error(), 0.7 * *report.before.error());
    const std::string path = folder_ / "m.attune";
    ASSERT_TRUE(made->trained.save(path).ok());
    const auto again = Trained::load(path);
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->calibration.kind(), kind);
    EXPECT_EQ(again->calibrated(0.9F), made->trained.calibrated(0.9F));
  }
  training.kinds = {"linear"};
  training.calibration = CalibrationKind::kPlatt;
  EXPECT_EQ(train_table(training).error().code, Code::kInvalid);
}

// Each by the rows whose label of it is known; the file keeps them all.
TEST_F(TableTest, EveryHeadIsCalibratedByItself) {
  Rng rng(3);
  std::string text = "city,who,y,z\n";  // who says nothing, and is learned by heart
  for (int i = 0; i < 4000; ++i) {
    const bool is_a = rng.chance(0.5);
    text += (is_a ? "a," : "b,") + ("w" + std::to_string(rng.below(400))) +
            (rng.chance(is_a ? 0.8 : 0.2) ? ",yes," : ",no,");
    text += rng.chance(0.2) ? "\n" : rng.chance(is_a ? 0.1 : 0.3) ? "yes\n" : "no\n";
  }
  TableTrainingOptions training = options(write("two.csv", text));
  training.also.names = {"z"};
  training.kinds = {"fwfm"};
  training.passes = 20;
  training.calibration = CalibrationKind::kPlatt;
  const auto made = train_table(training);
  ASSERT_TRUE(made.ok()) << made.error().message;
  const JointReport& joint = made->report.kinds.front().joint.value();
  for (const HeadReport& head : joint.heads) {
    EXPECT_EQ(head.after.rows(), head.rows);
    EXPECT_NE(*head.after.error(), *head.before.error()) << head.target;
  }
  EXPECT_LT(joint.heads[1].rows, made->report.test_rows);
  ASSERT_EQ(made->trained.further_calibrations.size(), 1u);
  EXPECT_NE(made->trained.calibrated(0.3F, 1), made->trained.calibrated(0.3F, 0));
  const std::string path = folder_ / "m.attune";
  ASSERT_TRUE(made->trained.save(path).ok());
  const auto again = Trained::load(path);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->calibrated(0.3F, 0), made->trained.calibrated(0.3F, 0));
  EXPECT_EQ(again->calibrated(0.3F, 1), made->trained.calibrated(0.3F, 1));
  training.also.names = {};
  const auto one = train_table(training);
  ASSERT_TRUE(one.ok()) << one.error().message;
  EXPECT_TRUE(one->trained.further_calibrations.empty());
}

// 100 tests of three rows; what is true of a row is `pull`, the test adds what all of it share.
std::string slates(bool has_days = false) {
  Rng rng(6);
  std::string text = has_days ? "test,pull,noise,y,day\n" : "test,pull,noise,y\n";
  for (int row = 0; row < 900; ++row) {
    const int test = row % 300;
    const double pull = rng.normal(), y = pull + 0.5 * rng.normal() + 20 * std::cos(test);
    text += "t" + std::to_string(test) + "," + std::to_string(pull) + "," +
            std::to_string(rng.normal()) + "," + std::to_string(y);
    if (has_days) text += "," + std::to_string(test + row / 300);
    text += "\n";
  }
  return text;
}

TEST_F(TableTest, RowsOfAGroupStayOnOneSide) {
  const LoadedTable table = load(write("s.csv", slates(true)));
  const LabelledTable labelled(load(write("s.csv", slates(true))),
                               *find_target(table, {"y", "", "", false}));
  const RowGroups groups = *group_rows(labelled, "test");
  EXPECT_EQ(groups.groups, 300u);
  EXPECT_EQ(groups.with_several, 300u);
  for (const std::string by : {"none", "day"}) {
    for (const std::size_t folds : {0, 5}) {
      const auto split = split_table(labelled, {folds, 0.2, by, 1, groups.of_row});
      ASSERT_TRUE(split.ok()) << split.error().message;
      for (const Split& one : split->splits) {
        std::set<std::uint32_t> learned, tested;
        for (const std::uint32_t row : one.train) learned.insert(groups.of_row[row]);
        for (const std::uint32_t row : one.test) tested.insert(groups.of_row[row]);
        EXPECT_EQ(one.test.size(), 3 * tested.size()) << by;
        EXPECT_TRUE(std::is_sorted(one.test.begin(), one.test.end()));
        for (const std::uint32_t group : tested) EXPECT_EQ(learned.count(group), 0u) << by;
      }
    }
  }
  EXPECT_EQ(split_table(labelled, {0, 0.2, "none", 1, groups.of_row})->measured_on,
            "180 rows of 60 groups drawn at random (seed 1)");
}

TEST_F(TableTest, ARankingIsMeasuredInsideGroupsBesideTheBestColumn) {
  TableTrainingOptions how = options(write("s.csv", slates()));
  how.kinds = {"trees"};
  how.group = "test";
  how.is_ranking = true;
  const auto done = train_table(how);
  ASSERT_TRUE(done.ok()) << done.error().message;
  const TrainReport& report = done->report;
  EXPECT_FALSE(done->trained.model->is_probability());
  EXPECT_TRUE(done->trained.model->is_ranking());
  const auto& measures = report.kinds.front().measures;
  EXPECT_GT(*find_measure(measures, "pairwise_accuracy")->value, 0.75);
  EXPECT_GT(*find_measure(measures, "mrr")->value, *find_measure(measures, "mrr")->baseline + 0.1);
  EXPECT_EQ(find_measure(measures, "rmse"), nullptr);
  EXPECT_EQ(report.best_column.words, "pull, the largest first");
  EXPECT_GT(*find_measure(report.best_column.measures, "pairwise_accuracy")->value, 0.75);
  // The same target learned as a number: the order inside a test drowns in what tests differ by.
  how.is_ranking = false;
  const auto as_number = train_table(how);
  ASSERT_TRUE(as_number.ok());
  const auto& plain = as_number->report.kinds.front().measures;
  EXPECT_NE(find_measure(plain, "rmse"), nullptr);
  EXPECT_LT(*find_measure(plain, "pairwise_accuracy")->value,
            *find_measure(measures, "pairwise_accuracy")->value - 0.05);
}

TEST_F(TableTest, AGroupOfOneRowEachHasNoOrder) {
  TableTrainingOptions how = options(shop(300));
  how.kinds = {"trees"};
  how.group = "age";
  how.is_ranking = true;
  EXPECT_TRUE(train_table(how).ok());  // people of an age: a yes or no is ranked as well
  std::string text = "id,x,y\n";
  for (int i = 0; i < 50; ++i) {
    text += std::to_string(i) + "," + std::to_string(i % 7) + (i % 2 == 0 ? ",yes\n" : ",no\n");
  }
  how.file = write("one.csv", text);
  how.group = "id";
  EXPECT_NE(train_table(how).error().message.find("nothing to put in order"), std::string::npos);
  how.group = "idd";
  EXPECT_NE(train_table(how).error().message.find("did you mean id?"), std::string::npos);
  how.group = "y";
  EXPECT_NE(train_table(how).error().message.find("it is the target"), std::string::npos);
}

}  // namespace
}  // namespace attune
