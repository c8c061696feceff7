#include "profile/profile_json.h"

#include "base/json.h"

namespace attune {

std::string profile_json(const Profile& profile, Time now) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("traits").begin_object();
  for (const auto& [name, value] : profile.traits) json.key(name).raw(value);
  json.end_object().key("denied_purposes").begin_array();
  constexpr std::pair<Purpose, std::string_view> kNames[] = {
      {Purpose::kAnalytics, "analytics"},
      {Purpose::kPersonalization, "personalization"},
      {Purpose::kAdvertising, "advertising"},
      {Purpose::kStorage, "storage"}};
  for (const auto& [purpose, name] : kNames) {
    if (profile.denies(purpose)) json.value(name);
  }
  json.end_array().key("counts").begin_object();
  for (const auto& [verb, count] : profile.counts) {
    json.field(verb_name(verb), static_cast<double>(count.at(now, k30d)));
  }
  json.end_object().field("touches", static_cast<std::uint64_t>(profile.touches.size()));
  json.field("seen", static_cast<std::uint64_t>(profile.seen.size())).end_object();
  return out;
}

}  // namespace attune
