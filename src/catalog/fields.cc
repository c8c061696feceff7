#include "catalog/fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.h"
#include "event/id.h"

namespace attune {

namespace dom = simdjson::dom;

Error invalid_field(std::string field, std::string message) {
  return Error{Code::kInvalid, std::move(message), std::move(field)};
}

Error unknown_name(std::string_view what, std::string_view name, Names known, std::string field) {
  const auto shown = name.substr(0, 64);
  const auto meant = *std::min_element(known.begin(), known.end(), [&](auto a, auto b) {
    return edit_distance(shown, a) < edit_distance(shown, b);
  });
  Error error =
      invalid_field(std::move(field),
                    fmt::format("unknown {} \"{}\", nearest known is \"{}\"", what, shown, meant));
  error.hint = fmt::format("known: {}", fmt::join(known, ", "));
  return error;
}

std::optional<dom::element> JsonFields::find(std::string_view name) const {
  dom::element found;
  if (object_.at_key(name).get(found) || found.is_null()) return std::nullopt;
  return found;
}

Status JsonFields::text(std::string_view name, std::string& out) const {
  const auto element = find(name);
  if (!element) return ok_status();
  std::string_view view;
  if (element->get(view)) return wrong(name, "a string");
  out = view;
  return ok_status();
}

Status JsonFields::texts(std::string_view name, std::vector<std::string>& out) const {
  const auto element = find(name);
  if (!element) return ok_status();
  dom::array array;
  if (element->get(array)) return wrong(name, "an array of strings");
  for (const auto member : array) {
    std::string_view text;
    if (member.get(text)) return wrong(name, "an array of strings");
    out.emplace_back(text);
  }
  return ok_status();
}

Status JsonFields::flag(std::string_view name, bool& out) const {
  const auto element = find(name);
  if (element && element->get(out)) return wrong(name, "true or false");
  return ok_status();
}

Status JsonFields::number(std::string_view name, double low, double high, double& out) const {
  const auto element = find(name);
  if (!element) return ok_status();
  double value = 0;
  if (element->get(value)) return wrong(name, "a number");
  if (!(value >= low && value <= high)) {
    return invalid_field(path(name),
                         fmt::format("{} is {}, must be in [{}, {}]", name, value, low, high));
  }
  out = value;
  return ok_status();
}

Status JsonFields::integer(std::string_view name, int low, int high, int& out) const {
  const auto element = find(name);
  if (!element) return ok_status();
  std::int64_t value = 0;
  if (element->get(value)) return wrong(name, "a whole number");
  if (value < low || value > high) {
    return invalid_field(path(name),
                         fmt::format("{} is {}, must be in [{}, {}]", name, value, low, high));
  }
  out = static_cast<int>(value);
  return ok_status();
}

Status JsonFields::id(std::string_view name, bool is_required, std::string& out) const {
  if (!find(name)) {
    if (!is_required) return ok_status();
    return invalid_field(path(name), fmt::format("{} is missing", name));
  }
  TRY_OK(text(name, out));
  if (is_valid_external_id(out)) return ok_status();
  return invalid_field(
      path(name), fmt::format("{} must be 1-256 bytes of UTF-8 without control characters", name));
}

Status JsonFields::only(std::string_view what, Names known) const {
  std::vector<std::string_view> given;
  for (const auto field : object_) {
    const std::string name = path(field.key.substr(0, 64));
    if (std::find(known.begin(), known.end(), field.key) == known.end()) {
      return unknown_name(what, field.key, known, name);
    }
    if (std::find(given.begin(), given.end(), field.key) != given.end()) {
      return invalid_field(name, fmt::format("{} is given twice", field.key));
    }
    given.push_back(field.key);
  }
  return ok_status();
}

Error JsonFields::wrong(std::string_view name, std::string_view expected) const {
  return invalid_field(path(name), fmt::format("{} must be {}", name, expected));
}

}  // namespace attune
