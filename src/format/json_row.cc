#include "format/json_row.h"

#include <simdjson.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "format/text_window.h"

namespace attune {
namespace {

namespace od = simdjson::ondemand;
static_assert(TextWindow::kSlack >= simdjson::SIMDJSON_PADDING);

Error fault(std::string what) { return {Code::kInvalid, std::move(what)}; }
Error not_json(simdjson::error_code error) {
  return fault(std::string("not JSON: ") + simdjson::error_message(error));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t digits_from(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// RFC 8259: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
bool is_json_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  if (at == text.size() || !is_digit(text[at])) return false;
  at = text[at] == '0' ? at + 1 : digits_from(text, at);
  if (at < text.size() && text[at] == '.') {
    const std::size_t end = digits_from(text, at + 1);
    if (end == at + 1) return false;
    at = end;
  }
  if (at < text.size() && (text[at] | 0x20) == 'e') {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t end = digits_from(text, at);
    if (end == at) return false;
    at = end;
  }
  return at == text.size();
}

// The token of a number, true, false or null, checked.
Result<std::string_view> plain_token(od::value& value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
  if (token == "true" || token == "false" || token == "null" || is_json_number(token)) {
    return token;
  }
  return fault("not JSON: \"" + std::string(token.substr(0, 40)) + "\" is no value");
}

Status append_compact(od::value value, std::size_t depth, std::string& out);

Status append_array(od::value& value, std::size_t depth, std::string& out) {
  od::array array;
  if (const auto error = value.get_array().get(array)) return not_json(error);
  out += '[';
  bool is_first = true;
  for (auto element : array) {
    od::value inner;
    if (const auto error = element.get(inner)) return not_json(error);
    if (!is_first) out += ',';
    is_first = false;
    TRY_OK(append_compact(inner, depth + 1, out));
  }
  out += ']';
  return ok_status();
}

Status append_object(od::value& value, std::size_t depth, std::string& out) {
  od::object object;
  if (const auto error = value.get_object().get(object)) return not_json(error);
  out += '{';
  bool is_first = true;
  for (auto each : object) {
    od::field field;
    std::string_view name;
    if (const auto error = std::move(each).get(field)) return not_json(error);
    if (const auto error = field.unescaped_key().get(name)) return not_json(error);
    if (!is_first) out += ',';
    is_first = false;
    append_json_string(out, name);
    out += ':';
    TRY_OK(append_compact(field.value(), depth + 1, out));
  }
  out += '}';
  return ok_status();
}

// Calls itself no deeper than kMaxDepth.
Status append_compact(od::value value, std::size_t depth, std::string& out) {
  if (depth > JsonRow::kMaxDepth) return fault("nested deeper than 64");
  od::json_type type{};
  if (const auto error = value.type().get(type)) return not_json(error);
  if (type == od::json_type::array) return append_array(value, depth, out);
  if (type == od::json_type::object) return append_object(value, depth, out);
  if (type == od::json_type::string) {
    std::string_view text;
    if (const auto error = value.get_string().get(text)) return not_json(error);
    append_json_string(out, text);
    return ok_status();
  }
  TRY(const std::string_view token, plain_token(value));
  out += token;
  return ok_status();
}

}  // namespace

struct JsonRow::State {
  od::parser parser;
  std::vector<Field> fields;
  std::string nested;  // the compact texts, one after the other
  struct Place {
    std::size_t field, begin, size;
  };
  std::vector<Place> places;

  Result<std::string_view> text_of(od::value value) {
    od::json_type type{};
    if (const auto error = value.type().get(type)) return not_json(error);
    if (type == od::json_type::string) {
      std::string_view text;
      if (const auto error = value.get_string().get(text)) return not_json(error);
      if (text.find('\0') != std::string_view::npos) return fault("a zero byte");
      return text;
    }
    if (type == od::json_type::array || type == od::json_type::object) {
      const std::size_t begin = nested.size();
      TRY_OK(append_compact(value, 1, nested));
      places.push_back({fields.size(), begin, nested.size() - begin});
      return std::string_view();
    }
    TRY(const std::string_view token, plain_token(value));
    return token == "null" ? std::string_view() : token;
  }

  Status read(od::object object) {
    for (auto each : object) {
      od::field field;
      std::string_view name;
      if (const auto error = std::move(each).get(field)) return not_json(error);
      if (const auto error = field.unescaped_key().get(name)) return not_json(error);
      auto text = text_of(field.value());
      if (!text.ok()) {
        Error error = std::move(text).error();
        error.field = std::string(name.substr(0, 256));
        return error;
      }
      fields.push_back({name, *text});
    }
    return ok_status();
  }
};

JsonRow::JsonRow() : state_(std::make_unique<State>()) {}
JsonRow::~JsonRow() = default;

Result<std::span<const JsonRow::Field>> JsonRow::parse(std::string_view line) {
  State& state = *state_;
  state.fields.clear();
  state.nested.clear();
  state.places.clear();
  od::document document;
  const std::size_t allocated = line.size() + simdjson::SIMDJSON_PADDING;
  if (const auto error = state.parser.iterate(line.data(), line.size(), allocated).get(document)) {
    return not_json(error);
  }
  od::object object;
  if (const auto error = document.get_object().get(object)) {
    if (error == simdjson::INCORRECT_TYPE) return fault("not a JSON object");
    return not_json(error);
  }
  TRY_OK(state.read(object));
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return fault("not JSON: text after the object");
  }
  for (const auto& place : state.places) {
    state.fields[place.field].text = std::string_view(state.nested).substr(place.begin, place.size);
  }
  return std::span<const Field>(state.fields);
}

}  // namespace attune
