#include "catalog/key.h"

#include <array>
#include <utility>

#include "base/json.h"

namespace attune {
namespace {

constexpr std::array<std::pair<Scope, std::string_view>, 4> kScopes = {{{Scope::kWrite, "write"},
                                                                        {Scope::kDecide, "decide"},
                                                                        {Scope::kRead, "read"},
                                                                        {Scope::kAdmin, "admin"}}};

}  // namespace

std::optional<Scope> scope_from_name(std::string_view name) {
  for (const auto& [scope, known] : kScopes) {
    if (known == name) return scope;
  }
  return std::nullopt;
}

std::vector<std::string_view> scope_names(std::uint8_t scopes) {
  std::vector<std::string_view> names;
  for (const auto& [scope, name] : kScopes) {
    if ((scopes & bit(scope)) != 0) names.push_back(name);
  }
  return names;
}

std::string key_json(const StoredKey& key) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("id", key.id).field("name", key.name).key("scopes").begin_array();
  for (const std::string_view scope : scope_names(key.scopes)) json.value(scope);
  json.end_array().field("created", format_iso8601(key.created));
  json.field("is_revoked", key.is_revoked).end_object();
  return out;
}

}  // namespace attune
