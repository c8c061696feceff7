#include "catalog/item_vector.h"

#include <simdjson.h>

#include <cmath>
#include <optional>

namespace attune {
namespace {

using simdjson::dom::element;

std::optional<element> find_vector(simdjson::dom::parser& parser, std::string_view item_json) {
  if (item_json.find("\"vector\"") == std::string_view::npos) return std::nullopt;
  element root, found;
  if (parser.parse(simdjson::padded_string(item_json)).get(root) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  if (root["vector"].get(found) == simdjson::SUCCESS) return found;
  if (root["attributes"]["vector"].get(found) == simdjson::SUCCESS) return found;
  return std::nullopt;
}

}  // namespace

bool has_vector(std::string_view item_json) {
  simdjson::dom::parser parser;
  return find_vector(parser, item_json).has_value();
}

std::vector<float> vector_of(std::string_view item_json) {
  std::vector<float> out;
  simdjson::dom::parser parser;
  simdjson::dom::array numbers;
  const auto found = find_vector(parser, item_json);
  if (!found || found->get(numbers) != simdjson::SUCCESS) return out;
  for (const element one : numbers) {
    double number = 0;
    const bool is_good = one.get(number) == simdjson::SUCCESS &&
                         std::isfinite(static_cast<float>(number)) && out.size() < kMostVector;
    if (!is_good) return {};
    out.push_back(static_cast<float>(number));
  }
  return out;
}

}  // namespace attune
