#include "format/npy.h"

#include "fuzz.h"

namespace attune {

// A .npy file; packed ones are the matter of bytes.cc.
void fuzz_one(std::string_view input) {
  if (input.starts_with("\x1f\x8b") || input.starts_with("\x28\xb5")) return;
  auto bytes = ByteSource::of_memory(std::string(input), "f");
  CHECK(bytes.ok());
  auto reader = NpyReader::open(std::move(*bytes));
  if (!reader.ok()) return;
  std::uint64_t rows = 0;
  while (true) {
    const auto row = reader->next();
    if (!row.ok()) return;
    if (row->empty()) break;
    ++rows;
    CHECK(row->size() == reader->header().columns);
  }
  CHECK(rows == reader->header().rows);
}

}  // namespace attune
