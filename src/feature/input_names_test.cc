#include "feature/input_names.h"

#include <gtest/gtest.h>

namespace attune {
namespace {

Plan plan_of(const std::string& toml) {
  auto plan = Plan::declare(toml, "p");
  CHECK(plan.ok());
  return std::move(*plan);
}

InputNames shop() {
  Catalog catalog;
  CHECK(catalog
            .apply(R"({"op":"put_item","item":{"id":"a","brand":"ace","attributes":{"size":3}}})",
                   Time{})
            .ok());
  InputNames names;
  names.add_items(catalog);
  names.add_traits(R"({"interest":"red","job":"smith"})");
  return names;
}

std::vector<std::string> said(const InputNames& names, const Plan& plan) {
  std::vector<std::string> out;
  for (const UnknownInput& one : names.unknown(plan)) out.push_back(said_of(one));
  return out;
}

TEST(InputNames, WhatNobodyHasIsToldWithWhatWasMeant) {
  const Plan plan = plan_of(
      "[[feature]]\nkind = \"category\"\nof = \"item.brnd\"\n"
      "[[feature]]\nkind = \"category\"\nof = \"item.size\"\n"
      "[[feature]]\nkind = \"cross\"\nof = [\"person.jobb\", \"item.category\"]\n"
      "[[feature]]\nkind = \"trait_topic\"\ntraits = [\"interest\", \"zodiac\"]\n"
      "[[feature]]\nkind = \"category\"\nof = \"context.device\"\n");
  EXPECT_EQ(
      said(shop(), plan),
      (std::vector<std::string>{
          "no item has brnd (item.brnd of the plan is always empty), did you mean item.brand?",
          "no person has jobb (person.jobb of the plan is always empty), did you mean "
          "person.job?",
          "no person has zodiac (person.zodiac of the plan is always empty)"}));
}

TEST(InputNames, AVectorIsMissedWhereNoItemHasOne) {
  const Plan plan = plan_of("[[feature]]\nkind = \"vector\"\nof = \"item.vector\"\n");
  EXPECT_EQ(said(shop(), plan).size(), 1u);
}

TEST(InputNames, OfAnEmptyWorkspaceNothingIsSaid) {
  const Plan plan = plan_of("[[feature]]\nkind = \"category\"\nof = \"item.brnd\"\n");
  EXPECT_TRUE(InputNames().unknown(plan).empty());
  EXPECT_TRUE(shop().unknown(default_plan()).empty());
}

}  // namespace
}  // namespace attune
