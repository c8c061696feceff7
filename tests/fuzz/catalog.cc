#include "catalog/catalog.h"

#include "fuzz.h"

namespace attune {

// Changes of the catalog, one a line; then the snapshot goes both ways.
void fuzz_one(std::string_view input) {
  Catalog catalog;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    (void)catalog.apply(input.substr(0, end), Time{});
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  for (const auto& item : catalog.items()) (void)item_json(*item);
  std::string once, twice;
  catalog.encode(once);
  const auto back = Catalog::decode(once);
  CHECK(back.ok());
  back->encode(twice);
  CHECK(once == twice);
}

}  // namespace attune
