#include "feature/plan.h"

#include "feature/json_members.h"
#include "feature/table_rows.h"
#include "fuzz.h"

namespace attune {

// A plan survives its own text; a stored table plan its own bytes; views of JSON stay within it.
void fuzz_one(std::string_view input) {
  const auto plan = Plan::declare(input, "fuzz");
  if (plan.ok()) {
    const auto again = Plan::declare(plan->toml(), "fuzz");
    CHECK(again.ok() && *again == *plan);
  }
  const auto rows = TableRows::decode(input);
  if (rows.ok()) {
    std::string bytes;
    rows->encode(bytes);
    CHECK(TableRows::decode(bytes).ok());
  }
  const std::string text(input);
  each_member(text, [&](std::string_view key, std::string_view value) {
    CHECK(key.data() + key.size() <= text.data() + text.size());
    CHECK(value.data() + value.size() <= text.data() + text.size());
    (void)plain_scalar(value);
  });
  each_element(text, [](std::string_view) {});
}

}  // namespace attune
