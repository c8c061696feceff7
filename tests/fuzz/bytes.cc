#include "format/bytes.h"

#include "fuzz.h"

namespace attune {

// Plain, gzip or zstd. Unpacking bombs are let run for 16 MB.
void fuzz_one(std::string_view input) {
  const auto source = ByteSource::of_memory(std::string(input), "f");
  if (!source.ok()) return;
  std::string block(4096 + input.size() % 7, '\0');
  for (std::size_t all = 0; all < (16U << 20);) {
    const auto got = (*source)->read(block);
    CHECK((*source)->taken() <= input.size());
    if (!got.ok()) {
      CHECK(!(*source)->read(block).ok());
      return;
    }
    if (*got == 0) return;
    CHECK(*got <= block.size());
    all += *got;
  }
}

}  // namespace attune
