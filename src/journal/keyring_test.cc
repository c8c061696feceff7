#include "journal/keyring.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "journal/frame.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

class KeyringTest : public testing::Test {
 protected:
  KeyringTest() {
    char name[] = "/tmp/attune_keyring_XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ + "/keys";
  }
  ~KeyringTest() override { fs::remove_all(directory_); }
  std::unique_ptr<Keyring> open(bool create = true) {
    auto keyring = open_keyring(path_, create);
    EXPECT_TRUE(keyring.ok()) << (keyring.ok() ? "" : keyring.error().message);
    return keyring.ok() ? std::move(keyring).value() : nullptr;
  }
  std::string bytes() const {
    std::ifstream in(path_, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  static Record event(Surrogate surrogate, std::string payload) {
    Record r;
    r.kind = Kind::kEvent;
    r.received = time_from_us(1'700'000'000'000'000);
    r.surrogate = surrogate;
    r.id_hash = 42;
    r.payload = std::move(payload);
    return r;
  }
  std::string directory_;
  std::string path_;
};

TEST_F(KeyringTest, FindsAfterReopenAndForgetsTheDestroyed) {
  auto keyring = open();
  EXPECT_FALSE(keyring->find(IdType::kUser, "ann@example.com"));
  const Surrogate ann = keyring->create(IdType::kUser, "ann@example.com").value();
  const Surrogate bob = keyring->create(IdType::kUser, "bob@example.com").value();
  EXPECT_EQ(keyring->create(IdType::kUser, "ann@example.com").value(), ann);
  EXPECT_NE(keyring->create(IdType::kAnonymous, "ann@example.com").value(), ann);
  const std::uint64_t hash = keyring->id_hash("message-1");
  EXPECT_NE(hash, 0u);
  Record sealed = event(ann, "hello");
  ASSERT_TRUE(keyring->seal(sealed).ok());
  ASSERT_TRUE(keyring->sync().ok());
  keyring = open(false);
  EXPECT_EQ(keyring->size(), 3u);
  EXPECT_EQ(keyring->id_hash("message-1"), hash);
  EXPECT_EQ(keyring->find(IdType::kUser, "ann@example.com"), ann);
  EXPECT_EQ(keyring->open(sealed).value(), "hello");
  ASSERT_TRUE(keyring->destroy(ann).ok());
  ASSERT_TRUE(keyring->destroy(ann).ok());
  EXPECT_EQ(keyring->open(sealed).error().code, Code::kNotFound);
  keyring = open(false);
  EXPECT_FALSE(keyring->has_key(ann));
  EXPECT_FALSE(keyring->find(IdType::kUser, "ann@example.com"));
  EXPECT_TRUE(keyring->has_key(bob));
  EXPECT_EQ(keyring->open(sealed).error().code, Code::kNotFound);
}

TEST_F(KeyringTest, DestroysAKeyThatWasNotSynced) {
  auto keyring = open();
  const Surrogate ann = keyring->create(IdType::kUser, "ann").value();
  ASSERT_TRUE(keyring->destroy(ann).ok());
  ASSERT_TRUE(keyring->sync().ok());
  const Surrogate again = keyring->create(IdType::kUser, "ann").value();
  EXPECT_NE(again, ann);
  ASSERT_TRUE(keyring->sync().ok());
  EXPECT_EQ(open(false)->find(IdType::kUser, "ann"), again);
}

TEST_F(KeyringTest, FileHoldsNoIdAndIsPrivate) {
  auto keyring = open();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(keyring->create(IdType::kUser, "ann" + std::to_string(i) + "@example.com").ok());
  }
  ASSERT_TRUE(keyring->sync().ok());
  EXPECT_EQ(bytes().size(), 56u + 50u * 72u);
  EXPECT_EQ(bytes().find("example"), std::string::npos);
  EXPECT_EQ(bytes().find("ann1"), std::string::npos);
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
}

TEST_F(KeyringTest, CutsATornSlotAndRefusesADamagedOne) {
  auto keyring = open();
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(keyring->create(IdType::kUser, id).ok());
  ASSERT_TRUE(keyring->sync().ok());
  keyring.reset();
  const std::string whole = bytes();
  for (std::size_t cut = 1; cut < 72; ++cut) {
    std::ofstream(path_, std::ios::binary) << whole.substr(0, whole.size() - cut);
    keyring = open(false);
    ASSERT_EQ(keyring->size(), 2u);
    ASSERT_TRUE(keyring->create(IdType::kUser, "d").ok());
    ASSERT_TRUE(keyring->sync().ok());
    ASSERT_EQ(open(false)->size(), 3u);
  }
  std::string bad = whole;
  bad[60] = static_cast<char>(bad[60] ^ 1);
  std::ofstream(path_, std::ios::binary) << bad;
  const auto refused = open_keyring(path_, false);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kCorrupt);
  EXPECT_NE(refused.error().message.find(path_), std::string::npos);
}

TEST_F(KeyringTest, AuthenticatesTheHeader) {
  auto keyring = open();
  const Surrogate ann = keyring->create(IdType::kUser, "ann").value();
  const Surrogate bob = keyring->create(IdType::kUser, "bob").value();
  Record sealed = event(ann, std::string(5000, 'z'));
  ASSERT_TRUE(keyring->seal(sealed).ok());
  EXPECT_EQ(keyring->open(sealed).value(), std::string(5000, 'z'));
  Record changed = sealed;
  changed.kind = Kind::kDecision;
  EXPECT_EQ(keyring->open(changed).error().code, Code::kCorrupt);
  changed = sealed;
  changed.received += Duration(1);
  EXPECT_EQ(keyring->open(changed).error().code, Code::kCorrupt);
  changed = sealed;
  changed.id_hash++;
  EXPECT_EQ(keyring->open(changed).error().code, Code::kCorrupt);
  changed = sealed;
  changed.surrogate = bob;
  EXPECT_EQ(keyring->open(changed).error().code, Code::kCorrupt);
  for (const std::size_t size : {0u, 1u, 255u, 256u, 70'000u, 3'000'000u}) {
    Record r = event(bob, std::string(size, 'q'));
    ASSERT_TRUE(keyring->seal(r).ok());
    EXPECT_EQ(keyring->open(r).value().size(), size);
  }
  Record large = event(bob, std::string((16u << 20) + 1, 'q'));
  EXPECT_EQ(keyring->seal(large).error().code, Code::kInvalid);
}

TEST_F(KeyringTest, SealedEventIsSmall) {
  auto keyring = open();
  const Surrogate ann = keyring->create(IdType::kUser, "ann").value();
  const std::string text =
      R"({"product_id":"507f1f77bcf8","sku":"G-32","category":"Games","name":"Monopoly: 3rd )"
      R"(Edition","brand":"Hasbro","price":18.99,"quantity":1,"currency":"USD","position":3,)"
      R"("url":"https://www.example.com/product/g-32"})";
  ASSERT_GT(text.size(), 195u);
  Record r = event(ann, text);
  ASSERT_TRUE(keyring->seal(r).ok());
  FrameBuilder frame(1);
  frame.add(r);
  const std::size_t size = frame.bytes() - kFrameHeaderBytes;
  RecordProperty("sealed_bytes", static_cast<int>(size));
  std::printf("sealed event: %zu bytes of text, %zu in the log\n", text.size(), size);
  EXPECT_LE(size, 160u);
}

TEST_F(KeyringTest, ZeroesASlotTornBetweenPages) {
  auto keyring = open();
  // Slot 56 lies on bytes 4088-4160: across the first page's end.
  std::vector<Surrogate> people;
  for (int i = 0; i < 60; ++i) {
    people.push_back(keyring->create(IdType::kUser, std::to_string(i)).value());
  }
  ASSERT_TRUE(keyring->sync().ok());
  keyring.reset();
  const std::string whole = bytes();
  for (const bool is_first_half : {true, false}) {
    std::string torn = whole;
    if (is_first_half) torn.replace(4088, 8, 8, '\0');
    if (!is_first_half) torn.replace(4096, 64, 64, '\0');
    std::ofstream(path_, std::ios::binary) << torn;
    const auto reader = open_keyring_reader(path_);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ((*reader)->size(), 59u);
    EXPECT_EQ(bytes(), torn);
    keyring = open(false);
    EXPECT_EQ(keyring->size(), 59u);
    EXPECT_FALSE(keyring->has_key(people[56]));
    EXPECT_TRUE(keyring->has_key(people[57]));
    EXPECT_EQ(bytes().substr(4088, 72), std::string(72, '\0'));
    keyring.reset();
  }
}

TEST_F(KeyringTest, AReaderSeesDestructionAtOnceAndChangesNothing) {
  EXPECT_EQ(open_keyring_reader(path_).error().code, Code::kNotFound);
  auto keyring = open();
  const Surrogate ann = keyring->create(IdType::kUser, "ann").value();
  ASSERT_TRUE(keyring->sync().ok());
  std::ofstream(path_, std::ios::binary | std::ios::app) << "torn";
  const std::string before = bytes();
  auto reader = std::move(open_keyring_reader(path_)).value();
  EXPECT_EQ(bytes(), before);
  Record sealed = event(ann, "hello");
  ASSERT_TRUE(keyring->seal(sealed).ok());
  EXPECT_EQ(reader->find(IdType::kUser, "ann"), ann);
  EXPECT_EQ(reader->open(sealed).value(), "hello");
  ASSERT_TRUE(keyring->destroy(ann).ok());
  EXPECT_FALSE(reader->has_key(ann));
  EXPECT_FALSE(reader->find(IdType::kUser, "ann"));
  EXPECT_EQ(reader->open(sealed).error().code, Code::kNotFound);
}

TEST_F(KeyringTest, ManyIdentitiesTakeLittleMemory) {
  auto keyring = open();
  constexpr int kPeople = 60'000;
  std::vector<Surrogate> people;
  const auto name = [](int i) { return "person-" + std::to_string(i); };
  for (int i = 0; i < kPeople; ++i) {
    people.push_back(keyring->create(IdType::kUser, name(i)).value());
    ASSERT_TRUE(i % 1000 != 0 || keyring->sync().ok());
  }
  ASSERT_TRUE(keyring->sync().ok());
  for (int i = 0; i < kPeople; i += 3000) {
    ASSERT_TRUE(keyring->destroy(people[static_cast<std::size_t>(i)]).ok());
  }
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kPeople; ++i) {
      const Surrogate person = people[static_cast<std::size_t>(i)];
      const auto found = keyring->find(IdType::kUser, name(i));
      if (i % 3000 == 0) {
        ASSERT_FALSE(found);
        ASSERT_FALSE(keyring->has_key(person));
      } else {
        ASSERT_EQ(found, person);
        ASSERT_TRUE(keyring->has_key(person));
      }
    }
    keyring = open(false);
  }
  EXPECT_FALSE(keyring->find(IdType::kAnonymous, name(1)));
  EXPECT_LE(keyring->memory_bytes(), 20u * kPeople);
}

TEST_F(KeyringTest, ReadersGoOnWhileOthersCreateAndDestroy) {
  auto keyring = open();
  const Surrogate ann = keyring->create(IdType::kUser, "ann").value();
  ASSERT_TRUE(keyring->sync().ok());
  std::atomic<bool> is_done{false};
  std::jthread reader([&] {
    while (!is_done) {
      Record r = event(ann, "hello");
      ASSERT_EQ(keyring->find(IdType::kUser, "ann"), ann);
      ASSERT_TRUE(keyring->seal(r).ok());
      ASSERT_EQ(keyring->open(r).value(), "hello");
    }
  });
  std::jthread syncer([&] {
    while (!is_done) ASSERT_TRUE(keyring->sync().ok());
  });
  for (int i = 0; i < 20'000; ++i) {
    const Surrogate bob = keyring->create(IdType::kUser, "bob" + std::to_string(i)).value();
    ASSERT_TRUE(i % 4000 != 0 || keyring->destroy(bob).ok());
  }
  is_done = true;
  syncer.join();
  reader.join();
  EXPECT_EQ(keyring->size(), 20'001u - 5u);
}

TEST_F(KeyringTest, MissingFileSaysWhereItShouldBe) {
  const auto missing = open_keyring(path_, false);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_NE(missing.error().message.find(path_), std::string::npos);
}

}  // namespace
}  // namespace attune
