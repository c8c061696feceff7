#include "collect/json_body.h"

#include <fmt/format.h>

#include <algorithm>

#include "collect/locate.h"

namespace attune {
namespace {

Error invalid(std::string message) { return {Code::kInvalid, std::move(message), "body", ""}; }

Error json_error(simdjson::error_code error, std::string_view body, std::size_t max_depth) {
  if (error == simdjson::DEPTH_ERROR) {
    return invalid(fmt::format("is nested deeper than {} levels", max_depth));
  }
  if (error == simdjson::UTF8_ERROR) return invalid("is not valid UTF-8");
  if (error == simdjson::EMPTY) return invalid("is empty; a JSON object is expected");
  const std::size_t at = locate_json_error(body, max_depth);
  if (at < body.size()) return invalid(fmt::format("is not valid JSON at byte {}", at));
  return invalid(
      fmt::format("is not valid JSON: cut short or a number out of range, found at "
                  "byte {}",
                  body.size()));
}

}  // namespace

Result<simdjson::dom::element> parse_json_body(simdjson::dom::parser& parser, std::string_view body,
                                               std::size_t max_depth) {
  if (parser.capacity() < body.size() || parser.max_depth() != max_depth) {
    const auto size = std::max(body.size(), std::size_t{64} << 10);
    if (const auto error = parser.allocate(size, max_depth)) {
      return json_error(error, body, max_depth);
    }
  }
  simdjson::dom::element root;
  // Parses a copy with the padding simdjson needs.
  if (const auto error = parser.parse(body.data(), body.size(), true).get(root)) {
    return json_error(error, body, max_depth);
  }
  return root;
}

}  // namespace attune
