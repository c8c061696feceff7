#include "model/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/nearest.h"

namespace attune {
namespace {

Error unknown_setting(const ModelKind& kind, const std::string& name) {
  std::vector<std::string> known;
  for (const Setting& s : kind.settings) known.emplace_back(s.name);
  const std::string near = nearest(name, known);
  return {Code::kInvalid, fmt::format("{} has no setting {}", kind.name, name), name,
          near.empty() ? fmt::format("it has {}", fmt::join(known, ", "))
                       : fmt::format("did you mean {}?", near)};
}

}  // namespace

Result<std::vector<double>> settle(const ModelKind& kind, const ModelOptions& options) {
  std::vector<double> values;
  for (const Setting& s : kind.settings) values.push_back(s.preset);
  std::vector<bool> is_given(values.size());
  for (const auto& [name, value] : options.settings) {
    const auto row = std::ranges::find(kind.settings, name, &Setting::name);
    if (row == kind.settings.end()) return unknown_setting(kind, name);
    if (!(value >= row->low && value <= row->high)) {
      return Error{
          Code::kInvalid,
          fmt::format("{} is {}, must be in [{:.12g}, {:.12g}]", name, value, row->low, row->high),
          name, std::string(row->meaning)};
    }
    if (row->is_whole && value != std::floor(value)) {
      return Error{Code::kInvalid, fmt::format("{} is {}, must be a whole number", name, value),
                   name, std::string(row->meaning)};
    }
    const auto at = static_cast<std::size_t>(row - kind.settings.begin());
    if (is_given[at]) return Error{Code::kInvalid, name + " is given twice", name};
    is_given[at] = true;
    values[at] = value;
  }
  return values;
}

ModelOptions completed(const ModelOptions& options, const ModelKind& kind,
                       std::span<const double> values) {
  ModelOptions all = options;
  all.settings.clear();
  for (std::size_t i = 0; i < values.size(); ++i) {
    all.settings.emplace_back(kind.settings[i].name, values[i]);
  }
  return all;
}

}  // namespace attune
