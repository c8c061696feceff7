// Formats that older programs wrote stay readable.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/bytes.h"
#include "base/hash.h"
#include "event/event.h"
#include "journal/frame.h"
#include "journal/journal.h"
#include "journal/seal.h"

namespace attune {
namespace {

constexpr std::string_view kSealedByFormat1 =
    "3f5969ca7ed749c94bfd16912856566a355055021b0e0d1378976c51fa017e697b7172e78b1a55664454b4cda4"
    "dc94aeb2f7ae04c84174ea18b38d4393a9df4173f13a55e12005c8a23010733adc45c67c47fb2aa9585d8f7b43"
    "1f04d9e92cf837a981d8cc41ad0e1729eb7260fdefb2d7606432820b6876ad2d7f8d";

const Time kReceived = time_from_us(1'793'000'000'123'456);

std::string unhex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

TEST(Format, OpensAnEventSealedByFormat1) {
  PayloadKey key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<unsigned char>(i * 3);
  const Record record{.kind = Kind::kEvent,
                      .received = kReceived,
                      .surrogate = Surrogate{77},
                      .id_hash = 99,
                      .payload = unhex(kSealedByFormat1)};
  const auto payload = open_payload(record, key);
  ASSERT_TRUE(payload.ok()) << payload.error().message;
  const auto stored = decode_event(*payload, kReceived);
  ASSERT_TRUE(stored.ok()) << stored.error().message;
  EXPECT_EQ(stored->event.name, "Order Completed");
  EXPECT_EQ(stored->event.message_id, "0189f7ea-ae2c-7b3e-8f00-0123456789ab");
  EXPECT_EQ(stored->event.item_id, "sku-1");
  EXPECT_EQ(stored->event.value, 39.95);
  EXPECT_EQ(stored->event.properties, R"({"product_id":"sku-1","revenue":39.95,"currency":"EUR"})");
}

class LogFormat : public testing::Test {
 protected:
  LogFormat() {
    char name[] = "/tmp/attune_format_XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~LogFormat() override { std::filesystem::remove_all(directory_); }
  // A log file of the version with `count` ticks, one a frame.
  void write_log(std::uint32_t version, Position count) const {
    std::string bytes = "ATTJRNL1";
    Writer out(bytes);
    out.u32(version);
    out.u64(hash64(bytes));
    for (Position at = 1; at <= count; ++at) {
      FrameBuilder frame(at);
      frame.add({.kind = Kind::kTick, .received = kReceived, .payload = "12345678"});
      bytes += frame.finish();
    }
    std::ofstream(log_path(directory_, 1), std::ios::binary) << bytes;
  }
  static Position count(JournalReader& journal) {
    auto cursor = journal.read(1).value();
    Position n = 0;
    while (const auto next = cursor->next().value()) EXPECT_EQ(next->position, ++n);
    return n;
  }
  std::string directory_;
};

TEST_F(LogFormat, AFileOfVersion1IsReadAndNeverAppendedTo) {
  write_log(1, 3);
  const auto before = std::filesystem::file_size(log_path(directory_, 1));
  for (int round = 0; round < 2; ++round) {
    auto journal = open_file_journal({.directory = directory_});
    ASSERT_TRUE(journal.ok()) << journal.error().message;
    const Record tick{.kind = Kind::kTick, .received = kReceived, .payload = "12345678"};
    ASSERT_TRUE((*journal)->append({&tick, 1}).ok());
    ASSERT_TRUE((*journal)->flush().ok());
    EXPECT_EQ(count(**journal), Position(4 + round));
  }
  EXPECT_EQ(std::filesystem::file_size(log_path(directory_, 1)), before);
  EXPECT_TRUE(std::filesystem::exists(log_path(directory_, 4)));
}

TEST_F(LogFormat, AFileOfVersion1WithoutRecordsIsBegunAgain) {
  write_log(1, 0);
  auto journal = open_file_journal({.directory = directory_});
  ASSERT_TRUE(journal.ok()) << journal.error().message;
  EXPECT_EQ((*journal)->bytes(), kLogHeaderBytes);
  const Record tick{.kind = Kind::kTick, .received = kReceived, .payload = "12345678"};
  ASSERT_TRUE((*journal)->append({&tick, 1}).ok());
  ASSERT_TRUE((*journal)->flush().ok());
  EXPECT_EQ(count(**journal), 1u);
}

}  // namespace
}  // namespace attune
