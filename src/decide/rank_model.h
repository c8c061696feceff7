// RankModel: a registered model that scores instead of the live learner. RankModels: of one name,
// what is promoted and what is tried on a share of the persons. Immutable; safe to share.
#pragma once
#include <memory>
#include <string>

#include "model/model.h"

namespace attune {

struct RankModel {
  // "ranker@3"; "ranker@3+120": having learned from the stream until tick 120.
  std::string version;
  std::shared_ptr<const Model> model;  // of a probability, with exact parts; null = none
};

struct RankModels {
  RankModel promoted, canary;
  double share = 0;  // of the persons, for whom the canary ranks
};

}  // namespace attune
