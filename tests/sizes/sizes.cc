// Reads Segment messages, one a line. `train FILE`: writes a dictionary for their payloads.
// `measure`: prints the bytes a track event takes in the journal, and where
// they are: the packed text, nonce and tag, the record around them.
#include <fmt/format.h>
#include <zdict.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "collect/segment.h"
#include "journal/frame.h"
#include "journal/seal.h"

namespace attune {
namespace {

constexpr std::size_t kNonceAndTagBytes = 12 + 16;
constexpr std::size_t kDictionaryBytes = 16u << 10;
const Time kReceived = time_from_us(1'800'000'000'123'456);

struct Sample {
  std::size_t sent = 0;
  std::string type;
  std::string payload;
};

std::vector<Sample> read_samples() {
  std::vector<Sample> samples;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string body = R"({"batch":[)" + line + "]}";
    const auto parsed = parse_segment("batch", body, kReceived, kReceived);
    if (!parsed.ok() || parsed->events.size() != 1) continue;
    Event event = parsed->events[0];
    event.time = kReceived - std::chrono::milliseconds(line.size() * 7);
    Sample& sample = samples.emplace_back();
    sample.sent = line.size();
    sample.type = event.type;
    encode_event(event, {}, kReceived, sample.payload);
  }
  return samples;
}

int train(const char* path) {
  std::string all;
  std::vector<std::size_t> sizes;
  for (const Sample& sample : read_samples()) {
    all += sample.payload;
    sizes.push_back(sample.payload.size());
  }
  std::string dictionary(kDictionaryBytes, '\0');
  const std::size_t n = ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), all.data(),
                                              sizes.data(), static_cast<unsigned>(sizes.size()));
  if (ZDICT_isError(n)) return std::fputs(ZDICT_getErrorName(n), stderr), 1;
  std::ofstream(path, std::ios::binary).write(dictionary.data(), static_cast<std::streamsize>(n));
  return 0;
}

int measure() {
  const PayloadKey key{};
  double sent = 0, plain = 0, packed = 0, stored = 0, count = 0;
  for (Sample& sample : read_samples()) {
    if (sample.type != "track") continue;
    Record record{.kind = Kind::kEvent,
                  .received = kReceived,
                  .surrogate = Surrogate{1},
                  .id_hash = 1,
                  .payload = sample.payload};
    record.payload = seal_payload(record, key).value();
    packed += static_cast<double>(record.payload.size() - kNonceAndTagBytes);
    FrameBuilder frame(1, kReceived);
    frame.add(record);
    sent += static_cast<double>(sample.sent);
    plain += static_cast<double>(sample.payload.size());
    stored += static_cast<double>(frame.bytes() - kFrameHeaderBytes);
    ++count;
  }
  fmt::print(
      "{{\"events\":{},\"sent\":{:.1f},\"payload\":{:.1f},\"packed\":{:.1f},\"nonce_and_tag\":{},"
      "\"record\":{:.1f},\"stored\":{:.1f}}}\n",
      count, sent / count, plain / count, packed / count, kNonceAndTagBytes,
      (stored - packed) / count - static_cast<double>(kNonceAndTagBytes), stored / count);
  return 0;
}

}  // namespace
}  // namespace attune

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "train" && argc == 3) return attune::train(argv[2]);
  if (what == "measure") return attune::measure();
  return std::fputs("sizes train FILE | sizes measure, messages on stdin\n", stderr), 2;
}
