// Control records of the catalog: from JSON text to checked values.
#pragma once
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/time.h"
#include "catalog/catalog.h"

namespace attune {

struct DeleteItem {
  std::string id;
};
struct RevokeKey {
  std::string id;
};
struct PutPlan {
  std::string toml;  // "" = the default plan
};
using Control = std::variant<Item, DeleteItem, Placement, StoredKey, RevokeKey, PutPlan,
                             RegisterModel, PromoteModel, RollBackModel, RemoveModel,
                             ChallengeModel, RetireChallenger, TeachModel>;

// received: the created time of an item that has none.
Result<Control> parse_control(std::string_view json, Time received);

}  // namespace attune
