#include "api/body.h"

namespace attune {
namespace {

Result<simdjson::dom::element> read(std::string_view body) {
  thread_local simdjson::dom::parser parser;
  auto root = parse_json_body(parser, body);
  if (!root.ok()) return with_field_named(root.error());
  return root;
}

}  // namespace

Result<simdjson::dom::object> read_object(std::string_view body) {
  TRY(const simdjson::dom::element root, read(body.empty() ? "{}" : body));
  simdjson::dom::object object;
  if (root.get(object)) return invalid_field("body", "body must be a JSON object");
  return object;
}

Result<simdjson::dom::array> read_array(std::string_view body) {
  TRY(const simdjson::dom::element root, read(body));
  simdjson::dom::array array;
  if (root.get(array)) return invalid_field("body", "body must be a JSON array");
  return array;
}

Error with_field_named(Error error) {
  if (!error.field.empty()) error.message = error.field + " " + error.message;
  return error;
}

}  // namespace attune
