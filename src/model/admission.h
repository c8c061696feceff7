// Admission: about how often an id was seen, in little memory, so that only frequent ones get a row
// (count-min sketch, Cormode and Muthukrishnan 2005; halved as it fills, as TinyLFU, Einziger et
// al. 2017). Never too low but for the halving. One thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace attune {

class Admission {
 public:
  // rows: of the table; 4 to 8 counters of a byte are kept for each. after: in [1, 255].
  Admission(std::size_t rows, std::uint32_t after);
  // Counts one use; true once the id was seen often enough.
  bool admits(std::uint32_t id);
  std::size_t memory_bytes() const { return counters_.size(); }
  bool restore(std::string_view counters, std::uint64_t added);
  std::string_view counters() const { return counters_; }
  std::uint64_t added() const { return added_; }

 private:
  std::string counters_;  // bytes; a power of two of them
  std::uint32_t after_;
  std::uint64_t added_ = 0;  // since the last halving
};

}  // namespace attune
