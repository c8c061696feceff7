// What kinds of sequences see that others do not, on tables whose truth is known.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/rng.h"
#include "learn/table_training.h"
#include "model/model.h"

namespace attune {
namespace {

constexpr int kItems = 40, kFamilies = 4;

class Sequences : public testing::Test {
 protected:
  Sequences() {
    std::string name = (std::filesystem::temp_directory_path() / "attune-table-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~Sequences() override { std::filesystem::remove_all(folder_); }

  // Five items of any family, the newest last; who is offered one of the newest's family takes it.
  std::string newest(std::size_t rows) const {
    Rng rng(3);
    std::string text = "taken,seen,item\n";
    for (std::size_t r = 0; r < rows; ++r) {
      int last = 0;
      std::string seen;
      for (int i = 0; i < 5; ++i) {
        last = static_cast<int>(rng.below(kItems));
        seen += (i == 0 ? "i" : " i") + std::to_string(last);
      }
      const auto item = static_cast<int>(rng.below(kItems));
      const bool is_like = item % kFamilies == last % kFamilies;
      text += (rng.chance(is_like ? 0.95 : 0.05) ? "1," : "0,") + seen + ",i" +
              std::to_string(item) + "\n";
    }
    std::ofstream(folder_ / "newest.csv") << text;
    return folder_ / "newest.csv";
  }
  static TableTrainingOptions options(const std::string& file, std::vector<std::string> kinds) {
    TableTrainingOptions options;
    options.file = file;
    options.target = "taken";
    options.kinds = std::move(kinds);
    return options;
  }
  // With nothing but their order to tell entries apart.
  static Plan in_order() {
    return Plan::declare(
               "[[feature]]\nkind = \"sequence\"\nof = \"column.seen\"\nas = "
               "\"column.item\"\ndecay = 1\n"
               "[[feature]]\nkind = \"category\"\nof = \"column.item\"\n",
               "p")
        .value();
  }
  static double auc_of(const TrainReport& report, const std::string& kind) {
    for (const KindReport& one : report.kinds) {
      const Measure* const auc = find_measure(one.measures, "auc");
      if (one.kind == kind && auc) return auc->value.value_or(0);
    }
    return 0;
  }

  std::filesystem::path folder_;
};

TEST_F(Sequences, KindsThatReadInOrderSeeTheNewest) {
  TableTrainingOptions of = options(newest(12'000), {"gru", "sasrec", "fwfm"});
  of.plan = in_order();
  of.passes = 6;
  const auto done = train_table(of);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_GT(auc_of(done->report, "gru"), 0.9);
  EXPECT_GT(auc_of(done->report, "sasrec"), 0.9);
  EXPECT_LT(auc_of(done->report, "fwfm"), 0.8);
}

TEST_F(Sequences, APlanIsDerivedAndASearchTriesThem) {
  TableTrainingOptions of = options(newest(3'000), {});
  of.search = TableTrainingOptions::Search{.settings = 1, .budget_s = 30};
  const auto done = train_table(of);
  ASSERT_TRUE(done.ok()) << done.error().message;
  std::string tried;
  for (const CandidateReport& one : done->report.choice.candidates) tried += " " + one.kind;
  for (const char* kind : {" din", " gru", " sasrec"}) {
    EXPECT_NE(tried.find(kind), std::string::npos) << tried;
  }
}

TEST_F(Sequences, KindsThatNeedThemSayWhatIsMissing) {
  TableTrainingOptions of = options(newest(200), {"din"});
  of.drop = {"seen"};
  const auto done = train_table(of);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message,
            "kind din learns from sequences, and no feature of the rows is one");
}

}  // namespace
}  // namespace attune
