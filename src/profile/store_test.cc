// The contract of every ProfileStore.
#include "profile/store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace attune {
namespace {

class Store : public testing::Test {
 protected:
  Store() { CHECK(::mkdtemp(folder_.data()) != nullptr); }
  ~Store() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name = "state.db") const { return folder_ + "/" + name; }
  std::unique_ptr<ProfileStore> open(const std::string& name = "state.db") const {
    auto store = open_sqlite_store(path(name));
    EXPECT_TRUE(store.ok()) << store.error().message;
    return std::move(store).value();
  }
  static void commit(ProfileStore& store, Position at, Surrogate who, std::string_view bytes) {
    EXPECT_TRUE(store.begin().ok());
    EXPECT_TRUE(store.put(who, bytes).ok());
    EXPECT_TRUE(store.put_fold("learner", bytes).ok());
    EXPECT_TRUE(store.finish(at).ok());
  }

 private:
  std::string folder_ = std::filesystem::temp_directory_path() / "attune-store-XXXXXX";
};

constexpr Surrogate kAda{0xfedcba9876543210};  // beyond a signed 64-bit integer
constexpr Surrogate kBob{7};

TEST_F(Store, KeepsWhatWasCommittedAcrossARestart) {
  commit(*open(), 41, kAda, "a");
  const auto store = open();
  EXPECT_EQ(store->position(), 41u);
  EXPECT_EQ(*store->load(kAda), "a");
  EXPECT_EQ(*store->load(kBob), "");
  EXPECT_EQ(*store->load_fold("learner"), "a");
  EXPECT_EQ(*store->load_fold("absent"), "");
}

TEST_F(Store, ReadersSeeTheLastFinishedCommitOnly) {
  const auto store = open();
  commit(*store, 1, kAda, "old");
  ASSERT_TRUE(store->begin().ok());
  ASSERT_TRUE(store->put(kAda, "new").ok());
  EXPECT_EQ(*store->load(kAda), "old");
  ASSERT_TRUE(store->finish(2).ok());
  EXPECT_EQ(*store->load(kAda), "new");
}

TEST_F(Store, AbandonedCommitsLeaveNothing) {
  {
    const auto store = open();
    commit(*store, 1, kAda, "old");
    ASSERT_TRUE(store->begin().ok());
    ASSERT_TRUE(store->put(kAda, "new").ok());
    store->abandon();
    ASSERT_TRUE(store->begin().ok());  // and the next one can begin
    ASSERT_TRUE(store->put(kAda, "").ok());
  }  // closed in the middle, as by a crash
  EXPECT_EQ(*open()->load(kAda), "old");
  EXPECT_EQ(open()->position(), 1u);
}

TEST_F(Store, RemovesAndVisitsAll) {
  const auto store = open();
  commit(*store, 1, kAda, "a");
  commit(*store, 2, kBob, "b");
  commit(*store, 3, kAda, "");
  std::vector<std::pair<Surrogate, std::string>> all;
  ASSERT_TRUE(store
                  ->each([&](Surrogate who, std::string_view bytes) {
                    all.emplace_back(who, bytes);
                    return ok_status();
                  })
                  .ok());
  EXPECT_EQ(all, (decltype(all){{kBob, "b"}}));
}

TEST_F(Store, CopyIsWhole) {
  const auto store = open();
  commit(*store, 9, kAda, std::string(100'000, 'x'));
  ASSERT_TRUE(store->copy_to(path("copy.db")).ok());
  commit(*store, 10, kAda, "later");
  EXPECT_EQ(open("copy.db")->load(kAda)->size(), 100'000u);
  EXPECT_EQ(open("copy.db")->position(), 9u);
}

TEST_F(Store, RefusesDamageAndNewerFormats) {
  std::ofstream(path("bad.db")) << std::string(8192, 'z');
  const auto bad = open_sqlite_store(path("bad.db"));
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, Code::kCorrupt);
  EXPECT_NE(bad.error().message.find("bad.db"), std::string::npos);
  EXPECT_NE(bad.error().hint.find("backup"), std::string::npos);

  commit(*open(), 1, kAda, "a");
  std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(60);  // user_version in the header of an SQLite file, big-endian
  file.write("\0\0\0\x63", 4);
  file.close();
  const auto newer = open_sqlite_store(path());
  ASSERT_FALSE(newer.ok());
  EXPECT_EQ(newer.error().code, Code::kInvalid);
  EXPECT_NE(newer.error().message.find("format 99"), std::string::npos);
}

}  // namespace
}  // namespace attune
