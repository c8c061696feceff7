#include "catalog/item_vector.h"

#include <simdjson.h>

#include <cmath>

namespace attune {

std::vector<float> vector_of(std::string_view item_json) {
  std::vector<float> out;
  if (item_json.find("\"vector\"") == std::string_view::npos) return out;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array numbers;
  const simdjson::padded_string padded(item_json);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return out;
  if (root["vector"].get(numbers) != simdjson::SUCCESS &&
      root["attributes"]["vector"].get(numbers) != simdjson::SUCCESS) {
    return out;
  }
  for (const simdjson::dom::element element : numbers) {
    double number = 0;
    const bool is_good = element.get(number) == simdjson::SUCCESS &&
                         std::isfinite(static_cast<float>(number)) && out.size() < kMostVector;
    if (!is_good) return {};
    out.push_back(static_cast<float>(number));
  }
  return out;
}

}  // namespace attune
