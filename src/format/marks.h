// Marks: where spaces, tabs, bars and colons of a line are, in order, 64 bytes at a time; its end
// is the last of them. Reads up to 64 bytes after the line (TextWindow::kSlack). The plain twin is
// in marks_test.cc. One thread.
#pragma once
#include <immintrin.h>

#include <cstdint>
#include <string_view>

namespace attune {

class Marks {
 public:
  explicit Marks(std::string_view line) : at_(line.data()), size_(line.size()) { look(); }
  // Of the next mark; the size of the line at its end. Not to be called after that.
  std::size_t next() {
    while (mask_ == 0) {
      base_ += 64;
      look();
    }
    const std::size_t place = base_ + _tzcnt_u64(mask_);
    mask_ &= mask_ - 1;
    return place;
  }

 private:
  void look() {
    mask_ = marks(at_ + base_) | std::uint64_t{marks(at_ + base_ + 32)} << 32;
    const std::size_t left = size_ - base_;
    if (left < 64) {
      mask_ = _bzhi_u64(mask_, static_cast<unsigned>(left)) | std::uint64_t{1} << left;
    }
  }
  // The four have different low halves, so each byte is compared with the only one it can be.
  static std::uint32_t marks(const char* at) {
    const __m256i by_low_half =
        _mm256_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', ':', 0, '|', 0, 0, 0,  //
                         ' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', ':', 0, '|', 0, 0, 0);
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const __m256i mark = _mm256_shuffle_epi8(by_low_half, bytes);
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(mark, bytes)));
  }

  const char* at_;
  std::size_t size_, base_ = 0;
  std::uint64_t mask_ = 0;
};

}  // namespace attune
