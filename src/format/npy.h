// NpyReader: the rows of a NumPy array file (.npy, versions 1 to 3): two axes, C order, float16,
// float32 or float64, little endian. Holds one row in memory. One thread.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/bytes.h"

namespace attune {

enum class NpyType { kFloat16, kFloat32, kFloat64 };

struct NpyHeader {
  NpyType type = NpyType::kFloat32;
  std::uint64_t rows = 0, columns = 0;
};
// Of the text of the header, a Python dictionary. kInvalid says what is not read, and how to save
// the array instead.
Result<NpyHeader> parse_npy_header(std::string_view text);

class NpyReader {
 public:
  static constexpr std::size_t kMaxHeaderBytes = 64 << 10;
  static constexpr std::uint64_t kMaxColumns = 1 << 16;
  static constexpr std::uint64_t kMaxRows = 1ULL << 32;
  static Result<NpyReader> open(std::unique_ptr<ByteSource> bytes);
  const NpyHeader& header() const { return header_; }
  // The next row, valid until the next call; empty after the last. float64 is rounded to float.
  // kCorrupt when the file holds fewer or more bytes than its header says.
  Result<std::span<const float>> next();
  const ByteSource& bytes() const { return *bytes_; }

 private:
  NpyReader(std::unique_ptr<ByteSource> bytes, const NpyHeader& header);
  Error fault(std::string what) const;
  std::unique_ptr<ByteSource> bytes_;
  NpyHeader header_;
  std::uint64_t given_ = 0;
  std::vector<char> raw_;
  std::vector<float> row_;
};

}  // namespace attune
