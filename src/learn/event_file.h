// EventFile: TensorBoard's event files: records of a length, the bytes and their checksums
// (TFRecord), each an Event of tensorflow/core/util/event.proto. Written here by hand, as much of
// it as scalars and texts take. One thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace attune {

class EventFile {
 public:
  // wall_time: seconds since 1970, of every event.
  explicit EventFile(double wall_time);
  void scalar(std::string_view tag, std::int64_t step, double value);
  void text(std::string_view tag, std::string_view markdown);
  const std::string& bytes() const { return bytes_; }

 private:
  void event(std::int64_t step, std::string_view summary_value);
  void record(std::string_view data);

  const double wall_time_;
  std::string bytes_;
};

// CRC-32C (Castagnoli) as TFRecord has it: rotated right by 15 bits, plus a constant.
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace attune
