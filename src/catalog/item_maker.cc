#include "catalog/item_maker.h"

#include <simdjson.h>

#include <algorithm>

#include "base/hash.h"

namespace attune {

std::uint64_t maker_of(std::string_view item_json) {
  const auto has = [&](std::string_view name) {
    return item_json.find(name) != std::string_view::npos;
  };
  if (!has("\"brand\"") && !has("\"author\"")) return 0;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string padded(item_json);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return 0;
  for (const char* const name : {"brand", "author"}) {
    std::string_view maker;
    if (root[name].get(maker) != simdjson::SUCCESS &&
        root["attributes"][name].get(maker) != simdjson::SUCCESS) {
      continue;
    }
    if (!maker.empty()) return std::max<std::uint64_t>(hash64(maker), 1);
  }
  return 0;
}

}  // namespace attune
