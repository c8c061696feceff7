// Item counts across people, as published at a tick. Copies share what has not changed.
#pragma once
#include "base/cow_map.h"
#include "event/id.h"
#include "profile/profile.h"

namespace attune {

struct Counters {
  CowMap<ItemKey, Affinity> items;
  Affinity all;
};

}  // namespace attune
