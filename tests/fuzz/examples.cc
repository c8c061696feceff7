#include <cmath>

#include "format/example_reader.h"
#include "fuzz.h"

namespace attune {

// The first byte: the format; the rest: a file. Whatever it holds, the Examples are whole.
void fuzz_one(std::string_view input) {
  if (input.empty()) return;
  auto bytes = ByteSource::of_memory(std::string(input.substr(1)), "f");
  if (!bytes.ok()) return;
  ExampleOptions options;
  std::size_t names = 0;
  if ((input[0] & 4) != 0) options.names = [&](std::uint32_t, std::string_view) { ++names; };
  options.has_numbers = (input[0] & 8) != 0;
  auto reader = ExampleReader::open(std::move(*bytes), static_cast<ExampleFormat>(input[0] & 3),
                                    std::move(options));
  if (!reader.ok()) return;
  Examples block;
  while (true) {
    const auto more = (*reader)->next(7, block);
    if (!more.ok() || !*more) return;
    CHECK(block.size() > 0 && block.size() <= 7 && block.labels.size() == block.size());
    CHECK(block.ends.back() == block.features.size());
    CHECK(block.fields.size() == block.features.size());
    for (const std::uint16_t field : block.fields) CHECK(field < (*reader)->fields());
    for (const Feature& feature : block.features) CHECK(std::isfinite(feature.value));
    for (std::size_t r = 0; r < block.size(); ++r) CHECK(block.weight(r) >= 0);
  }
}

}  // namespace attune
