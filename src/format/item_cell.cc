#include "format/item_cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

namespace attune {
namespace {

constexpr std::size_t kMostShown = 40;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number =
      error == std::errc() && end == text.data() + text.size() && std::isfinite(number);
  return is_number ? std::optional(number) : std::nullopt;
}

Error refuse(std::string_view name, std::string_view cell, std::string_view wanted) {
  return {Code::kInvalid,
          fmt::format("{} is \"{}{}\", must be {}", name, cell.substr(0, kMostShown),
                      cell.size() > kMostShown ? "..." : "", wanted),
          std::string(name)};
}

void write_tags(std::string_view cell, JsonWriter& json) {
  json.begin_array();
  while (!cell.empty()) {
    const std::size_t end = std::min(cell.find('|'), cell.size());
    if (const auto tag = trim(cell.substr(0, end)); !tag.empty()) json.value(tag);
    cell.remove_prefix(std::min(end + 1, cell.size()));
  }
  json.end_array();
}

// Numbers parted by commas, bars or spaces, in brackets or not.
std::optional<std::vector<double>> numbers_of(std::string_view cell) {
  constexpr std::string_view kParts = ", |;";
  cell = trim(cell);
  if (cell.starts_with('[') && cell.ends_with(']') && cell.size() > 1) {
    cell = cell.substr(1, cell.size() - 2);
  }
  std::vector<double> numbers;
  while (true) {
    cell.remove_prefix(std::min(cell.find_first_not_of(kParts), cell.size()));
    if (cell.empty()) return numbers;
    const std::size_t end = std::min(cell.find_first_of(kParts), cell.size());
    const auto number = number_of(cell.substr(0, end));
    if (!number) return std::nullopt;
    numbers.push_back(*number);
    cell.remove_prefix(end);
  }
}

Status write_vector(std::string_view cell, JsonWriter& json) {
  const auto numbers = numbers_of(cell);
  if (!numbers) return refuse("vector", cell, "numbers such as [0.12,-3.4]");
  json.begin_array();
  for (const double number : *numbers) json.value(number);
  json.end_array();
  return ok_status();
}

}  // namespace

Status write_item_cell(std::string_view name, std::string_view cell, TableFormat format,
                       JsonWriter& json) {
  json.key(name);
  if (name == "tags") {
    if (format == TableFormat::kJsonl && cell.starts_with('[')) {
      json.raw(cell);
    } else {
      write_tags(cell, json);
    }
    return ok_status();
  }
  if (name == "price") {
    const auto price = number_of(trim(cell));
    if (!price) return refuse(name, cell, "a number such as 19.99");
    json.value(*price);
    return ok_status();
  }
  if (name == "is_hidden") {
    if (cell != "true" && cell != "false") return refuse(name, cell, "true or false");
    json.value(cell == "true");
    return ok_status();
  }
  if (name == "vector") return write_vector(cell, json);
  json.value(cell);
  return ok_status();
}

}  // namespace attune
