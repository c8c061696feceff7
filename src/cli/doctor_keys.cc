// attune doctor: the API keys.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "cli/doctor.h"

namespace attune {
namespace {

constexpr std::size_t kLeastKey = 20;  // characters; ours have 46
constexpr std::ptrdiff_t kMostAdmins = 3;

const char* value_of(const KeySeed& seed) {
  const char* const value = std::getenv(seed.variable);
  return value == nullptr ? "" : value;
}

}  // namespace

void check_environment_keys(std::vector<Finding>& out) {
  for (const KeySeed& seed : kKeySeeds) {
    const std::string_view value = value_of(seed);
    if (value.empty() || value.size() >= kLeastKey) continue;
    out.push_back(
        {Health::kWarn, "api_keys",
         fmt::format("{} has {} characters: it may be guessed", seed.variable, value.size()),
         "attune keys create NAME --scope SCOPE makes one of 160 random bits"});
  }
}

void check_keys(const ApiKeys& keys, std::vector<Finding>& out) {
  const std::vector<StoredKey> all = keys.list();
  const auto in_force = [&](Scope scope) {
    return std::count_if(all.begin(), all.end(), [=](const StoredKey& key) {
      return !key.is_revoked && (key.scopes & bit(scope)) != 0;
    });
  };
  const auto admins = in_force(Scope::kAdmin);
  const auto n = std::count_if(all.begin(), all.end(), [](const auto& k) { return !k.is_revoked; });
  if (n == 0) {
    out.push_back({Health::kWarn, "api_keys", "none is in force: nobody can use a server",
                   "attune keys create NAME --scope admin"});
  } else if (admins == 0) {
    out.push_back({Health::kWarn, "api_keys", "none may do what an operator does",
                   "attune keys create operator --scope admin"});
  } else if (admins > kMostAdmins) {
    out.push_back(
        {Health::kWarn, "api_keys",
         fmt::format("{} may do everything: any of them lost is the whole workspace", admins),
         "attune keys list, then attune keys revoke ID of those not needed"});
  } else {
    out.push_back(
        {Health::kOk, "api_keys", fmt::format("{} in force, {} of them admin", n, admins)});
  }
  for (const KeySeed& seed : kKeySeeds) {
    const std::string_view value = value_of(seed);
    if (value.empty() || n == 0 || (keys.find(value).scopes & seed.scopes) == seed.scopes) continue;
    out.push_back({Health::kWarn, "api_keys",
                   fmt::format("{} is set, but is no key of this workspace", seed.variable),
                   "unset it: variables give a new workspace its first keys, and no other"});
  }
}

}  // namespace attune
