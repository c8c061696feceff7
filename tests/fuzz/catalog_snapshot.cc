#include "catalog/catalog.h"
#include "fuzz.h"

namespace attune {

void fuzz_one(std::string_view input) {
  const auto catalog = Catalog::decode(input);
  if (!catalog.ok()) return;
  std::string once;
  catalog->encode(once);
  CHECK(Catalog::decode(once).ok());
}

}  // namespace attune
