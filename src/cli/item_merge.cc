#include "cli/item_merge.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <iterator>

#include "base/json.h"
#include "catalog/item_vector.h"

namespace attune {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kVector = "vector";

// The shortest text that reads back as the same float.
std::string json_of(std::span<const float> vector) {
  std::string out = "[";
  for (const float number : vector) {
    fmt::format_to(std::back_inserter(out), "{}{}", out.size() == 1 ? "" : ",", number);
  }
  return out + "]";
}

// The item with this vector at its end instead of its own.
std::string with_vector(std::string_view item, std::string_view vector) {
  dom::parser parser;
  dom::object fields;
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  if (!parser.parse(simdjson::padded_string(item)).get(fields)) {
    for (const auto [name, value] : fields) {
      if (name != kVector) json.key(name).raw(simdjson::minify(value));
    }
  }
  json.key(kVector).raw(vector).end_object();
  dom::element whole;
  CHECK(!parser.parse(out).get(whole));
  return simdjson::minify(whole);  // numbers as the catalog writes them
}

// "" = none.
std::string vector_text(std::string_view item) {
  dom::parser parser;
  dom::element vector;
  if (parser.parse(simdjson::padded_string(item))[kVector].get(vector)) return "";
  return simdjson::minify(vector);
}

}  // namespace

std::string merged_item(const ItemRow& row, std::string_view known) {
  if (!row.vector.empty()) {
    return with_vector(known.empty() ? std::string_view(row.json) : known, json_of(row.vector));
  }
  if (known.empty() || has_vector(row.json)) return row.json;
  const std::string kept = vector_text(known);
  return kept.empty() ? row.json : with_vector(row.json, kept);
}

}  // namespace attune
