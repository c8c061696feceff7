#include "learn/what_if.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/rng.h"
#include "learn/table_training.h"

namespace attune {
namespace {

// y follows age (the younger the likelier) and, half as much, city; noise tells nothing.
struct WhatIfTest : testing::Test {
  WhatIfTest() {
    std::string name = (std::filesystem::temp_directory_path() / "attune-what-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    folder = name;
    file = folder + "/t.csv";
    Rng rng(1);
    std::ofstream out(file);
    out << "noise,age,city,y\n";
    for (int i = 0; i < 3000; ++i) {
      const auto age = 20 + rng.below(50);
      const bool is_rome = rng.chance(0.5);
      const double z = (45 - static_cast<double>(age)) / 8 + (is_rome ? 1 : -1);
      out << rng.below(100) << ',' << age << ',' << (is_rome ? "rome" : "oslo") << ','
          << (rng.chance(1 / (1 + std::exp(-z))) ? 1 : 0) << '\n';
    }
  }
  ~WhatIfTest() override { std::filesystem::remove_all(folder); }

  Trained train(const std::string& kind) const {
    TableTrainingOptions options;
    options.file = file;
    options.target = "y";
    options.kinds = {kind};
    auto made = train_table(options);
    CHECK(made.ok());
    return std::move(made->trained);
  }
  static RowSample sample(const Trained& trained, const std::string& path, std::uint64_t row = 0) {
    auto rows = RowSample::read(trained, path, {}, {.most = 500, .row = row});
    CHECK(rows.ok());
    return std::move(rows).value();
  }
  std::string folder, file;
};

TEST_F(WhatIfTest, WhatTellsMattersMost) {
  for (const char* kind : {"ftrl", "mlp"}) {
    const Trained trained = train(kind);
    const RowSample rows = sample(trained, file);
    EXPECT_EQ(rows.size(), 500u);
    const auto all = importance(rows, 1);
    ASSERT_EQ(all.size(), 3u) << kind;
    EXPECT_EQ(all[0].column, "age") << kind;
    EXPECT_EQ(all[1].column, "city") << kind;
    EXPECT_GT(all[0].interval->low, 0) << kind;
    EXPECT_LT(std::fabs(*all[2].loss), 0.1 * *all[0].loss) << kind;
    EXPECT_EQ(importance(rows, 1)[0].loss, all[0].loss);  // same seed, same figures
  }
}

TEST_F(WhatIfTest, DependenceFallsWithAge) {
  const Trained trained = train("mlp");
  const RowSample rows = sample(trained, file);
  const Dependence age = dependence(rows, *rows.find("age"), 10);
  EXPECT_TRUE(age.is_number);
  ASSERT_EQ(age.points.size(), 10u);
  EXPECT_GT(age.points.front().mean, age.points.back().mean + 0.5);
  for (const DependencePoint& point : age.points) {
    EXPECT_LE(point.low, point.mean);
    EXPECT_GE(point.high, point.mean);
    EXPECT_EQ(point.rows.size(), Dependence::kCurves);
  }
  const Dependence city = dependence(rows, *rows.find("city"), 10);
  EXPECT_FALSE(city.is_number);
  EXPECT_EQ(city.points.size(), 2u);
  EXPECT_EQ(rows.find("agee").error().code, Code::kInvalid);
  EXPECT_NE(rows.find("agee").error().message.find("did you mean age?"), std::string::npos);
}

TEST_F(WhatIfTest, OneChangeInPlainWords) {
  const Trained trained = train("ftrl");
  std::ofstream(folder + "/one.csv") << "noise,age,city,y\n50,66,oslo,0\n50,22,rome,1\n";
  // The values to try come of the other rows.
  std::filesystem::copy(file, folder + "/all.csv");
  std::ofstream(folder + "/all.csv", std::ios::app) << "50,66,oslo,0\n";
  const RowSample old = sample(trained, folder + "/all.csv", 3001);
  const auto found = counterfactual(old);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->column, "age");
  EXPECT_EQ(found->was, "66");
  EXPECT_TRUE(found->is_below);
  EXPECT_LT(found->now, 0.2);
  EXPECT_GT(found->would, 0.6);
  // What it says is so.
  EXPECT_FLOAT_EQ(static_cast<float>(found->would),
                  old.predict(0, 1, *old.find("age"),
                              [&](std::size_t) { return std::string_view(found->value); })[0]);
  const std::string words = counterfactual_words(*found, true);
  EXPECT_TRUE(words.starts_with("had age been " + found->value)) << words;
  EXPECT_NE(words.find("instead of 66, the chance would be "), std::string::npos) << words;
}

TEST_F(WhatIfTest, SaysWhichRowIsNotThere) {
  const Trained trained = train("ftrl");
  const auto rows = RowSample::read(trained, file, {}, {.row = 5000});
  ASSERT_FALSE(rows.ok());
  EXPECT_NE(rows.error().message.find("has 3000 rows"), std::string::npos);
}

}  // namespace
}  // namespace attune
