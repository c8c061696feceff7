// RankModel: a registered model that scores instead of the live learner. Immutable; safe to share.
#pragma once
#include <memory>
#include <string>

#include "model/model.h"

namespace attune {

struct RankModel {
  std::string version;                 // "ranker@3"
  std::shared_ptr<const Model> model;  // of a probability, with exact parts; never null
};

}  // namespace attune
