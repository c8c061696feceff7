#include "format/sparse_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace attune {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }

}  // namespace

SparseReader::SparseReader(TextWindow window, ExampleOptions options)
    : lines_(std::move(window), kMaxRowBytes), names_(std::move(options.names)) {
  for (std::string& name : options.fields) add_field(std::move(name));
}

Result<bool> SparseReader::next(std::size_t most, Examples& out) {
  out.clear();
  while (out.size() < most) {
    const auto kind = lines_.next();
    if (!kind.ok()) fault_ = kind.error();
    if (!kind.ok() || *kind == TextLines::Next::kEnd) break;
    if (*kind == TextLines::Next::kTooLong) {
      refuse("", "a row longer than 1 MB");
      continue;
    }
    if (lines_.text().empty()) continue;
    const std::size_t before = out.features.size();
    Target target{std::numeric_limits<float>::quiet_NaN(), 1.0F};
    if (parse(lines_.text(), target, out) == Parsed::kRow) {
      out.labels.push_back(target.label);
      out.weights.push_back(target.weight);
      out.ends.push_back(static_cast<std::uint32_t>(out.features.size()));
    } else {
      out.features.resize(before);
      out.fields.resize(before);
    }
  }
  if (std::ranges::all_of(out.weights, [](float weight) { return weight == 1.0F; })) {
    out.weights.clear();
  }
  if (out.size() == 0 && fault_) return *fault_;
  return out.size() > 0;
}

SparseReader::Parsed SparseReader::refuse(std::string column, std::string reason) {
  bad_.add(lines_.line(), std::move(column), std::move(reason));
  return Parsed::kBad;
}

void SparseReader::add_field(std::string name) {
  if (field_names_.size() == kMaxFields) return;
  numbers_.try_emplace(name, static_cast<std::uint16_t>(field_names_.size()));
  field_names_.push_back(std::move(name));
}

bool SparseReader::number_of(std::string_view field, std::uint16_t& number) {
  std::string name(field);
  const auto found = numbers_.find(name);
  if (found != numbers_.end()) {
    number = found->second;
    return true;
  }
  if (field_names_.size() == kMaxFields) {
    refuse(name.substr(0, 40), fmt::format("more than {} fields", kMaxFields));
    return false;
  }
  number = static_cast<std::uint16_t>(field_names_.size());
  add_field(std::move(name));
  return true;
}

std::optional<float> parse_float(std::string_view text) {
  if (text.size() == 1 && text[0] >= '0' && text[0] <= '9') {
    return static_cast<float>(text[0] - '0');
  }
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<float> parse_value(std::string_view text, std::string& why) {
  const auto value = parse_float(text);
  if (!value) {
    why = fmt::format("\"{}\" is no number", text.substr(0, 40));
  } else if (std::abs(*value) > kMaxFeatureValue) {
    why = fmt::format("{} is beyond {}: scale the values", text, kMaxFeatureValue);
    return std::nullopt;
  }
  return value;
}

std::string_view take_token(std::string_view& text) {
  std::size_t begin = 0;
  while (begin < text.size() && is_space(text[begin])) ++begin;
  std::size_t end = begin;
  while (end < text.size() && !is_space(text[end])) ++end;
  const std::string_view token = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return token;
}

}  // namespace attune
