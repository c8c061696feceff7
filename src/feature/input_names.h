// InputNames: what items and persons of a workspace have a value of, to find the inputs of a plan
// that are empty everywhere, as a misspelt one is. One thread.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "feature/plan.h"

namespace attune {

struct UnknownInput {
  std::string input;  // "item.brnd"
  std::string meant;  // "item.brand"; "" = nothing is near enough
};

class InputNames {
 public:
  static constexpr std::size_t kMostNames = 10'000;  // further ones are not kept
  void add_items(const Catalog& catalog);
  void add_traits(std::string_view json);  // an object, as identify calls send it; "" = none
  // Inputs and crossed traits that nobody has, in order of the plan, each once. Without any item
  // (without any trait) nothing is said of items (of persons).
  std::vector<UnknownInput> unknown(const Plan& plan) const;

 private:
  using Names = std::set<std::string, std::less<>>;
  static void add_members(std::string_view object, Names& names);
  Names items_, traits_;
};

// "no item has brnd (item.brnd of the plan is always empty), did you mean item.brand?"
std::string said_of(const UnknownInput& unknown);

}  // namespace attune
