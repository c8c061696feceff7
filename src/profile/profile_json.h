// A profile as people and exports read it.
#pragma once
#include <string>

#include "profile/profile.h"

namespace attune {

// {"traits","denied_purposes","counts" by verb over 30 days,"touches","seen"}.
std::string profile_json(const Profile& profile, Time now);

}  // namespace attune
