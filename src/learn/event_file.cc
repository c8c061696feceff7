#include "learn/event_file.h"

#include <nmmintrin.h>

#include "base/bytes.h"

namespace attune {
namespace {

// Fields of a protocol buffer message by their number and wire type.
class Message {
 public:
  Message& varint(std::uint32_t field, std::uint64_t value) {
    key(field, 0);
    w_.varint(value);
    return *this;
  }
  Message& f64(std::uint32_t field, double value) {
    key(field, 1);
    w_.f64(value);
    return *this;
  }
  Message& f32(std::uint32_t field, float value) {
    key(field, 5);
    w_.f32(value);
    return *this;
  }
  Message& bytes(std::uint32_t field, std::string_view value) {
    key(field, 2);
    w_.str(value);
    return *this;
  }
  const std::string& done() const { return out_; }

 private:
  void key(std::uint32_t field, std::uint32_t type) { w_.varint(field << 3 | type); }
  std::string out_;
  Writer w_{out_};
};

constexpr std::uint64_t kString = 7;  // DT_STRING

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = _mm_crc32_u8(crc, static_cast<std::uint8_t>(c));
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xa282ead8U;
}

EventFile::EventFile(double wall_time) : wall_time_(wall_time) {
  record(Message().f64(1, wall_time_).bytes(3, "brain.Event:2").done());
}

void EventFile::record(std::string_view data) {
  std::string length;
  Writer(length).u64(data.size());
  Writer w(bytes_);
  bytes_ += length;
  w.u32(masked_crc32c(length));
  bytes_ += data;
  w.u32(masked_crc32c(data));
}

// Event: wall_time 1, step 2, summary 5; Summary: value 1.
void EventFile::event(std::int64_t step, std::string_view summary_value) {
  const std::string summary = Message().bytes(1, summary_value).done();
  record(Message()
             .f64(1, wall_time_)
             .varint(2, static_cast<std::uint64_t>(step))
             .bytes(5, summary)
             .done());
}

// Summary.Value: tag 1, simple_value 2.
void EventFile::scalar(std::string_view tag, std::int64_t step, double value) {
  event(step, Message().bytes(1, tag).f32(2, static_cast<float>(value)).done());
}

// Summary.Value: tag 1, tensor 8 (dtype 1, shape 2 of dim 2 of size 1, string_val 8), metadata 9
// (plugin_data 1 with plugin_name 1).
void EventFile::text(std::string_view tag, std::string_view markdown) {
  const std::string shape = Message().bytes(2, Message().varint(1, 1).done()).done();
  const std::string tensor = Message().varint(1, kString).bytes(2, shape).bytes(8, markdown).done();
  const std::string metadata = Message().bytes(1, Message().bytes(1, "text").done()).done();
  event(0, Message().bytes(1, tag).bytes(8, tensor).bytes(9, metadata).done());
}

}  // namespace attune
