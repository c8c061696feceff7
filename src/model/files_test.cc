// Files a model lives in: the model file, its names, and the row cache.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/rng.h"
#include "model/feature_names.h"
#include "model/model_file.h"
#include "model/row_cache.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

class ModelFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "attune_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  static std::string contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void put(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  std::string folder_;
};

// Ids by a square law, so that some come often; labels by the first field.
Examples rows_of(std::size_t n, std::uint64_t seed, bool is_regular = true) {
  Rng rng(seed);
  Examples rows;
  for (std::size_t r = 0; r < n; ++r) {
    const std::size_t width = is_regular ? 6 : rng.below(9);
    const bool label = rng.chance(0.3);
    for (std::size_t i = 0; i < width; ++i) {
      const double id = 5000 * rng.uniform() * rng.uniform();
      const auto hash = static_cast<std::uint32_t>(
          mix64(i, i == 0 ? std::uint64_t{label} : static_cast<std::uint64_t>(id)));
      rows.features.push_back({hash, is_regular ? 1.0F : static_cast<float>(rng.normal())});
      rows.fields.push_back(static_cast<std::uint16_t>(i));
    }
    rows.labels.push_back(label ? 1.0F : 0.0F);
    if (!is_regular) rows.weights.push_back(static_cast<float>(rng.uniform()));
    rows.ends.push_back(static_cast<std::uint32_t>(rows.features.size()));
  }
  return rows;
}

void expect_same(const Examples& a, const Examples& b) {
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.ends, b.ends);
  EXPECT_EQ(a.fields, b.fields);
  ASSERT_EQ(a.features.size(), b.features.size());
  for (std::size_t i = 0; i < a.features.size(); ++i) {
    ASSERT_EQ(a.features[i].hash, b.features[i].hash);
    ASSERT_EQ(a.features[i].value, b.features[i].value);
  }
}

std::unique_ptr<Model> trained(const std::string& kind, const Examples& rows) {
  auto model = make_model({.kind = kind, .bits = 10});
  EXPECT_TRUE(model.ok());
  std::vector<float> before(rows.size());
  (*model)->learn(rows, before);
  return std::move(model).value();
}

std::vector<float> predicted(const Model& model, const Examples& rows) {
  std::vector<float> out(rows.size());
  model.predict(rows, out);
  return out;
}

TEST_F(ModelFiles, AModelIsUsedFromItsFileAndGoesOnLearning) {
  const Examples rows = rows_of(3000, 1);
  for (const std::string kind : {"ftrl", "fm"}) {
    const auto model = trained(kind, rows);
    std::string bytes;
    model->encode(bytes);
    EXPECT_GT(bytes.size(), model->memory_bytes());  // as it lies in memory
    const auto id =
        store_model_file(path("a"), std::vector<ModelSection>{{"report", "{}"}, {"model", bytes}});
    ASSERT_TRUE(id.ok());
    std::unique_ptr<Model> back;
    {
      const auto file = ModelFile::open(path("a"));
      ASSERT_TRUE(file.ok()) << file.error().message;
      EXPECT_EQ(file->id(), *id);
      EXPECT_EQ(*file->section("report"), "{}");
      EXPECT_EQ(file->section("plan").error().code, Code::kNotFound);
      EXPECT_EQ(file->section_names(), (std::vector<std::string>{"report", "model"}));
      auto opened = file->model();
      ASSERT_TRUE(opened.ok()) << opened.error().message;
      back = std::move(opened).value();
    }
    const std::string before = contents(path("a"));
    EXPECT_EQ(predicted(*back, rows), predicted(*model, rows));
    std::vector<float> a(rows.size()), b(rows.size());
    back->learn(rows, a);
    model->learn(rows, b);
    EXPECT_EQ(a, b);
    EXPECT_EQ(contents(path("a")), before);  // what it learns stays in the process
  }
}

// By version: what options end with differs, and hashed tables were written by slot before 3.
TEST(ModelBytes, VersionsBeforeAreReadAndWrittenAsTheNewest) {
  const auto made = make_model({.kind = "adagrad", .bits = 8});
  ASSERT_TRUE(made.ok());
  for (const std::uint32_t version : {1u, 2u}) {
    std::string bytes = "AMDL";
    Writer w(bytes);
    w.u32(version);
    w.str("adagrad");
    w.u8(8);
    w.u64(1);
    for (const std::uint64_t number : {0, 0, 1, 0, 0}) w.varint(number);
    w.varint((*made)->options().settings.size());
    for (const auto& [name, value] : (*made)->options().settings) {
      w.str(name);
      w.f64(value);
    }
    if (version == 2) bytes.append(2 + sizeof(double), '\0');            // no tasks, no second loss
    for (const float number : {0.0F, 0.25F, 0.0F, 0.0F}) w.f32(number);  // bias
    bytes.append(6, '\0');                                               // counts, form
    w.varint(8);
    w.u32(4 + 1);
    for (const float number : {0.5F, 2.0F, 0.0F}) w.f32(number);
    w.varint(0);
    w.u64(hash64(bytes));
    const auto back = decode_model(bytes);
    ASSERT_TRUE(back.ok()) << back.error().message;
    Examples rows;
    rows.features = {{4 << 8 | 7, 2}, {6, 1}};
    rows.ends = {2};
    rows.labels = {1};
    EXPECT_FLOAT_EQ(predicted(**back, rows)[0], 1 / (1 + std::exp(-(0.25F + 2 * 0.5F))));
    EXPECT_EQ((*back)->counts().rows, 1u);
    std::string again;
    (*back)->encode(again);
    EXPECT_EQ(again.substr(0, 5), std::string("AMDL\3"));
    const auto newest = decode_model(again);
    ASSERT_TRUE(newest.ok());
    EXPECT_EQ(predicted(**newest, rows), predicted(**back, rows));
  }
}

TEST_F(ModelFiles, TheSameContentHasTheSameIdAndBytes) {
  const Examples rows = rows_of(100, 1);
  std::string one, two, other;
  trained("ftrl", rows)->encode(one);
  trained("ftrl", rows)->encode(two);
  trained("ftrl", rows_of(100, 2))->encode(other);
  const auto a = store_model_file(path("a"), std::vector<ModelSection>{{"model", one}});
  const auto b = store_model_file(path("b"), std::vector<ModelSection>{{"model", two}});
  const auto c = store_model_file(path("c"), std::vector<ModelSection>{{"model", other}});
  EXPECT_EQ(*a, *b);
  EXPECT_EQ(a->size(), 28u);
  EXPECT_TRUE(a->starts_with("m_"));
  EXPECT_EQ(contents(path("a")), contents(path("b")));
  EXPECT_NE(*a, *c);
}

TEST_F(ModelFiles, AModelWrittenAsItIsMadeIsTheSameFile) {
  for (const std::size_t rows : {20u, 3000u}) {  // few rows taken, nearly all
    const auto model = trained("fm", rows_of(rows, 1));
    std::string bytes;
    model->encode(bytes);
    const auto a = store_model_file(
        path("a"), std::vector<ModelSection>{{"report", "{}"}, {"model", bytes}, {"plan", "p"}});
    const auto b = store_model_file(
        path("b"),
        std::vector<ModelSection>{{"report", "{}"}, {"model", {}, model.get()}, {"plan", "p"}});
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_EQ(*a, *b);
    EXPECT_EQ(contents(path("a")), contents(path("b")));
    const auto back = ModelFile::open(path("b"))->model();
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(predicted(**back, rows_of(100, 2)), predicted(*model, rows_of(100, 2)));
  }
}

TEST_F(ModelFiles, DamageCutsAndNewerVersionsAreRefused) {
  std::string model;
  trained("ftrl", rows_of(50, 1))->encode(model);
  ASSERT_TRUE(store_model_file(
                  path("a"), std::vector<ModelSection>{{"model", model}, {"report", "{\"n\":50}"}})
                  .ok());
  const std::string good = contents(path("a"));
  const auto is_read = [&](std::string_view bytes) {
    put(path("bad"), bytes);
    const auto file = ModelFile::open(path("bad"));
    return file.ok() && file->section("report").ok() && file->model().ok();
  };
  EXPECT_TRUE(is_read(good));
  EXPECT_FALSE(is_read(good + "x"));
  for (std::size_t i = 0; i < good.size(); i += 29) {
    std::string damaged = good;
    damaged[i] = static_cast<char>(damaged[i] ^ 16);
    EXPECT_FALSE(is_read(damaged)) << i;
    EXPECT_FALSE(is_read(std::string_view(good).substr(0, i))) << i;
  }
  std::string newer = good;
  newer[8] = 7;
  put(path("bad"), newer);
  EXPECT_NE(ModelFile::open(path("bad"))
                .error()
                .message.find("model file version 7, this program reads version 1"),
            std::string::npos);
  EXPECT_EQ(ModelFile::open(path("none")).error().code, Code::kNotFound);
  EXPECT_FALSE(ModelFile::open(folder_).ok());
}

TEST_F(ModelFiles, BadSectionsAreRefusedAndNothingIsWritten) {
  const std::vector<std::vector<ModelSection>> bad{
      {{"", "x"}}, {{"Model", "x"}}, {{"a_name_that_is_long", "x"}}, {{"a", "x"}, {"a", "y"}}};
  for (const auto& sections : bad) {
    EXPECT_EQ(store_model_file(path("a"), sections).error().code, Code::kInvalid);
  }
  EXPECT_FALSE(fs::exists(path("a")));
  EXPECT_FALSE(store_model_file(path("no/such/folder"), {}).ok());
}

TEST(FeatureNames, AreKeptUpToTheirBoundsAndSayWhatIsMissing) {
  FeatureNames names(3);
  for (std::uint32_t i = 0; i < 3; ++i) names.add(100 - i, "name " + std::to_string(i));
  names.add(100, "another name of the same hash");
  EXPECT_TRUE(names.is_whole());
  names.add(7, "one too many");
  EXPECT_FALSE(names.is_whole());
  EXPECT_EQ(names.find(7), "");
  std::string bytes;
  names.encode(bytes);
  const auto back = FeatureNames::decode(bytes);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->size(), 3u);
  EXPECT_EQ(back->find(100), "name 0");
  EXPECT_EQ(back->find(98), "name 2");
  EXPECT_FALSE(back->is_whole());
  std::string again;
  back->encode(again);
  EXPECT_EQ(again, bytes);
}

TEST(FeatureNames, LongOnesAreCutBetweenCharacters) {
  FeatureNames names;
  std::string long_name(255, 'a');
  names.add(1, long_name + "\xc3\xa9" + "z");
  EXPECT_EQ(names.find(1), long_name);
}

TEST_F(ModelFiles, TheRowCacheGivesBackWhatItWasGiven) {
  const Hash128 source{3, 4};
  std::vector<Examples> blocks{rows_of(500, 1), rows_of(700, 2, false), rows_of(1, 3)};
  Examples empty_rows;
  for (int i = 0; i < 3; ++i) {
    empty_rows.labels.push_back(std::nanf(""));
    empty_rows.ends.push_back(0);
  }
  auto writer = RowCacheWriter::open(path("c"), source);
  ASSERT_TRUE(writer.ok());
  for (const Examples& block : blocks) ASSERT_TRUE(writer->add(block).ok());
  ASSERT_TRUE(writer->add({}).ok());
  ASSERT_TRUE(writer->add(empty_rows).ok());
  EXPECT_FALSE(fs::exists(path("c")));
  ASSERT_TRUE(writer->finish("fields: a, b").ok());
  const auto cache = RowCache::open(path("c"), source);
  ASSERT_TRUE(cache.ok()) << cache.error().message;
  EXPECT_EQ(cache->blocks(), 4u);
  EXPECT_EQ(cache->rows(), 1204u);
  EXPECT_EQ(cache->fields(), 8u);
  EXPECT_EQ(cache->notes(), "fields: a, b");
  Examples out;
  for (const std::size_t block : {2u, 0u, 1u, 0u}) {
    ASSERT_TRUE(cache->read(block, out).ok());
    expect_same(out, blocks[block]);
  }
  ASSERT_TRUE(cache->read(3, out).ok());
  EXPECT_EQ(out.size(), 3u);
  EXPECT_TRUE(std::isnan(out.labels[0]));
  EXPECT_TRUE(out.features.empty());
  EXPECT_EQ(RowCache::open(path("c"), Hash128{3, 5}).error().code, Code::kConflict);
}

TEST_F(ModelFiles, AnUnfinishedRowCacheLeavesNothingAndADamagedOneIsRefused) {
  {
    auto writer = RowCacheWriter::open(path("c"), {});
    ASSERT_TRUE(writer->add(rows_of(10, 1)).ok());
  }
  EXPECT_TRUE(fs::is_empty(folder_));
  auto writer = RowCacheWriter::open(path("c"), {});
  ASSERT_TRUE(writer->add(rows_of(10, 1)).ok());
  ASSERT_TRUE(writer->finish("notes").ok());
  const std::string good = contents(path("c"));
  const auto is_read = [&](std::string_view bytes) {
    put(path("bad"), bytes);
    const auto cache = RowCache::open(path("bad"), {});
    Examples out;
    return cache.ok() && cache->blocks() == 1 && cache->read(0, out).ok();
  };
  EXPECT_TRUE(is_read(good));
  for (std::size_t i = 0; i < good.size(); i += 3) {
    std::string damaged = good;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    const bool is_spare = i >= 12 && i < 16;
    EXPECT_EQ(is_read(damaged), is_spare) << i;
    EXPECT_FALSE(is_read(std::string_view(good).substr(0, i))) << i;
  }
}

}  // namespace
}  // namespace attune
