#include "simulate/ctr_text.h"

#include <sodium.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/hash.h"

namespace attune {
namespace {

constexpr std::uint64_t kFfmIndices = 1u << 20;
constexpr std::size_t kLongestLine = 1024;
constexpr char kHex[] = "0123456789abcdef";

// A line being written; the longest is below 800 bytes.
class Line {
 public:
  explicit Line(std::string& out) : out_(out) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() { out_.append(bytes_.data(), end_); }
  void put(char c) { *end_++ = c; }
  void number(std::int64_t x) { end_ = std::to_chars(end_, bytes_.data() + bytes_.size(), x).ptr; }
  void hex(std::uint32_t x) {
    for (int shift = 28; shift >= 0; shift -= 4) put(kHex[x >> shift & 15]);
  }

 private:
  std::string& out_;
  std::array<char, kLongestLine> bytes_;
  char* end_ = bytes_.data();
};

void feature(std::size_t field, std::uint64_t token, Line& line) {
  line.put(' ');
  line.number(static_cast<std::int64_t>(field));
  line.put(':');
  line.number(static_cast<std::int64_t>(mix64(field + 1, token) % kFfmIndices));
  line.put(':');
  line.put('1');
}

}  // namespace

std::int32_t ctr_step(std::int32_t x) {
  return x < 8 ? x : 8 + static_cast<std::int32_t>(4 * std::log(x / 8.0));
}

void append_criteo(const CtrRow& row, std::string& out) {
  Line line(out);
  line.put(row.click ? '1' : '0');
  for (const std::int32_t x : row.numbers) {
    line.put('\t');
    if (x != kMissingNumber) line.number(x);
  }
  for (const std::uint32_t hash : row.categories) {
    line.put('\t');
    if (hash != 0) line.hex(hash);
  }
  line.put('\n');
}

void append_vw(const CtrRow& row, std::string& out) {
  Line line(out);
  if (!row.click) line.put('-');
  line.put('1');
  const auto name_space = [&](char first, std::size_t at) {
    line.put(' ');
    line.put('|');
    line.put(static_cast<char>(first + static_cast<char>(at)));
    line.put(' ');
  };
  for (std::size_t j = 0; j < kCtrNumbers; ++j) {
    if (row.numbers[j] == kMissingNumber) continue;
    name_space('A', j);
    line.number(ctr_step(row.numbers[j]));
  }
  for (std::size_t f = 0; f < kCtrCategories; ++f) {
    if (row.categories[f] == 0) continue;
    name_space('a', f);
    line.hex(row.categories[f]);
  }
  line.put('\n');
}

void append_libffm(const CtrRow& row, std::string& out) {
  Line line(out);
  line.put(row.click ? '1' : '0');
  for (std::size_t j = 0; j < kCtrNumbers; ++j) {
    if (row.numbers[j] == kMissingNumber) continue;
    feature(j, static_cast<std::uint64_t>(std::int64_t{ctr_step(row.numbers[j])}), line);
  }
  for (std::size_t f = 0; f < kCtrCategories; ++f) {
    if (row.categories[f] != 0) feature(kCtrNumbers + f, row.categories[f], line);
  }
  line.put('\n');
}

void append_truth(const CtrRow& row, std::string& out) {
  Line line(out);
  line.put('0');
  line.put('.');
  auto millionths = static_cast<std::int64_t>(std::llround(row.p * 1e6));
  for (std::int64_t unit = 100'000; unit > 0; unit /= 10) {
    line.put(static_cast<char>('0' + millionths / unit % 10));
  }
  line.put('\n');
}

std::string ctr_digest(std::uint64_t seed) {
  const CtrWorld world(seed);
  std::string text;
  for (std::uint64_t k = 0; k < 10'000; ++k) {
    const CtrRow row = world.row(k);
    append_criteo(row, text);
    append_vw(row, text);
    append_libffm(row, text);
    append_truth(row, text);
  }
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  std::string hex;
  for (const unsigned char byte : hash) {
    hex += kHex[byte >> 4];
    hex += kHex[byte & 15];
  }
  return hex;
}

}  // namespace attune
