#include "feature/input_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.h"
#include "feature/json_members.h"

namespace attune {
namespace {

// What every item has, or may have without an attribute of that name.
constexpr const char* kOfEveryItem[] = {"id", "category", "tags", "price", "age_days"};

}  // namespace

void InputNames::add_members(std::string_view object, Names& names) {
  each_member(object, [&](std::string_view key, std::string_view) {
    if (names.size() < kMostNames && !names.contains(key)) names.emplace(key);
  });
}

void InputNames::add_items(const Catalog& catalog) {
  for (const auto& item : catalog.items()) {
    if (items_.empty()) items_.insert(std::begin(kOfEveryItem), std::end(kOfEveryItem));
    add_members(item->attributes, items_);
    each_member(item->attributes, [&](std::string_view key, std::string_view value) {
      if (key == "attributes") add_members(value, items_);
    });
  }
}

void InputNames::add_traits(std::string_view json) { add_members(json, traits_); }

std::vector<UnknownInput> InputNames::unknown(const Plan& plan) const {
  std::vector<std::string> inputs;
  for (const PlanFeature& feature : plan.features) {
    inputs.insert(inputs.end(), feature.of.begin(), feature.of.end());
    for (const std::string& trait : feature.traits) inputs.push_back("person." + trait);
  }
  std::vector<UnknownInput> out;
  for (const std::string& input : inputs) {
    const auto [source, name] = input_name(input);
    const bool is_item = source == "item";
    if (!is_item && source != "person") continue;
    const Names& known = is_item ? items_ : traits_;
    const bool is_said = std::ranges::find(out, input, &UnknownInput::input) != out.end();
    if (known.empty() || known.contains(name) || is_said) continue;
    const std::string meant = nearest(name, {known.begin(), known.end()});
    out.push_back({input, meant.empty() ? "" : fmt::format("{}.{}", source, meant)});
  }
  return out;
}

std::string said_of(const UnknownInput& unknown) {
  const auto [source, name] = input_name(unknown.input);
  return fmt::format("no {} has {} ({} of the plan is always empty){}", source, name, unknown.input,
                     unknown.meant.empty() ? "" : fmt::format(", did you mean {}?", unknown.meant));
}

}  // namespace attune
