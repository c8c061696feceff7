#include "format/id_lists.h"

#include "fuzz.h"

namespace attune {

// Plain, gzip or zstd text of numbers: what is read can be written and read again.
void fuzz_one(std::string_view input) {
  const auto read = [](std::string text) {
    const auto bytes = ByteSource::of_memory(std::move(text), "fuzz");
    return bytes.ok() ? read_id_lists(**bytes) : Result<std::vector<IdList>>(bytes.error());
  };
  const auto lists = read(std::string(input));
  if (!lists.ok()) return;
  std::string text;
  for (const IdList& list : *lists) {
    text += std::to_string(list.person);
    for (const std::uint64_t item : list.items) text += " " + std::to_string(item);
    text += "\n";
  }
  const auto again = read(text);
  CHECK(again.ok() && again->size() == lists->size());
}

}  // namespace attune
