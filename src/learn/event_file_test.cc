#include "learn/event_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace attune {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

// The check value of CRC-32C is e3069283 of "123456789".
TEST(EventFile, ChecksumIsCastagnolis) {
  const std::uint32_t masked = masked_crc32c("123456789") - 0xa282ead8U;
  EXPECT_EQ(masked << 15 | masked >> 17, 0xe3069283U);
}

// Bytes that TensorBoard's own reader accepted: bench/peers/tensorboard_check.py.
TEST(EventFile, BytesAreThoseTensorBoardReads) {
  EventFile file(1.5);
  file.scalar("loss", 300, 0.25);
  file.text("run", "|a|");
  EXPECT_EQ(hex(file.bytes()),
            "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c"
            "1b000000000000001a0d9e1309000000000000f83f10ac022a0d0a0b0a046c6f7373150000803e99"
            "08deed2d000000000000003c418afb09000000000000f83f10002a200a1e0a0372756e420d080712"
            "041202080142037c617c4a080a060a0474657874792f5182");
}

}  // namespace
}  // namespace attune
