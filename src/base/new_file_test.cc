#include "base/new_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace attune {
namespace {

namespace fs = std::filesystem;

class NewFileTest : public testing::Test {
 protected:
  NewFileTest() : folder_(testing::TempDir() + "attune_new_file") {
    fs::create_directories(folder_);
  }
  ~NewFileTest() override { fs::remove_all(folder_); }
  std::string path() const { return folder_ + "/f"; }
  std::string contents() const {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }

 private:
  std::string folder_;
};

TEST_F(NewFileTest, IsThereWholeOnceFinished) {
  auto file = NewFile::create(path());
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->append("....middle ").ok());
  ASSERT_TRUE(file->append("end").ok());
  ASSERT_TRUE(file->overwrite(0, "head").ok());
  EXPECT_EQ(file->size(), 14u);
  EXPECT_FALSE(fs::exists(path()));
  ASSERT_TRUE(file->finish().ok());
  EXPECT_EQ(contents(), "headmiddle end");
  EXPECT_EQ(files(), 1u);
}

TEST_F(NewFileTest, LeavesTheOldFileAndNothingElseWhenItEndsEarly) {
  std::ofstream(path()) << "old";
  {
    auto file = NewFile::create(path());
    ASSERT_TRUE(file.ok());
    NewFile moved = std::move(*file);
    ASSERT_TRUE(moved.append("new").ok());
    EXPECT_EQ(files(), 2u);
  }
  EXPECT_EQ(contents(), "old");
  EXPECT_EQ(files(), 1u);
}

TEST_F(NewFileTest, SaysWhatCannotBeCreated) {
  const auto file = NewFile::create(path() + "/no/such/folder");
  ASSERT_FALSE(file.ok());
  EXPECT_NE(file.error().message.find("/no/such/folder"), std::string::npos);
}

}  // namespace
}  // namespace attune
