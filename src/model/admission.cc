#include "model/admission.h"

#include <algorithm>
#include <bit>

#include "base/hash.h"

namespace attune {

Admission::Admission(std::size_t rows, std::uint32_t after)
    : counters_(std::bit_ceil(rows * 4), '\0'), after_(after) {}

bool Admission::admits(std::uint32_t id) {
  const std::uint64_t mixed = mix64(id, 0xad);
  const std::size_t mask = counters_.size() - 1;
  char* const places[] = {&counters_[(mixed >> 32) & mask], &counters_[mixed & mask]};
  std::uint32_t least = 255;
  for (const char* place : places)
    least = std::min<std::uint32_t>(least, static_cast<unsigned char>(*place));
  for (char* place : places) {  // those that are larger count other ids
    if (static_cast<unsigned char>(*place) == least && least < 255)
      *place = static_cast<char>(least + 1);
  }
  if (++added_ >= counters_.size() * 8) {
    added_ = 0;
    for (char& c : counters_) c = static_cast<char>(static_cast<unsigned char>(c) / 2);
  }
  return least + 1 >= after_;
}

bool Admission::restore(std::string_view counters, std::uint64_t added) {
  if (counters.size() != counters_.size()) return false;
  counters_ = counters;
  added_ = added;
  return true;
}

}  // namespace attune
