#include "engine/served_models.h"

#include <fmt/format.h>

#include "learn/trained.h"

namespace attune {
namespace {

// Whether its score is the sum of exact parts, by the row of one feature.
bool has_parts(const Model& model) {
  const Feature one{1, 1};
  const std::uint16_t field = 0;
  return model.parts(Row(&one, 1), std::span(&field, 1)).size() == 1;
}

Result<ServedModel> served(const std::string& path) {
  TRY(Trained trained, Trained::load(path));
  if (trained.input != kWorkspaceInput) {
    return Error{Code::kInvalid,
                 fmt::format("{}: reads rows of {}, not of decisions", path, trained.input),
                 "model", "attune train --workspace makes a model that can rank"};
  }
  const Model& model = *trained.model;
  if (trained.inputs || !model.is_probability() || !has_parts(model)) {
    return Error{Code::kInvalid,
                 fmt::format("{}: kind {} has no exact parts, so its decisions could not be "
                             "explained",
                             path, model.kind()),
                 "model", "train with --kind ftrl or --kind fm"};
  }
  return ServedModel{std::move(trained.model), std::move(trained.live_plan)};
}

}  // namespace

Result<ServedModel> ServedModels::load(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  const auto known = loaded_.find(id);
  if (known != loaded_.end()) return known->second;
  std::erase_if(loaded_, [](const auto& one) { return one.second.model.use_count() == 1; });
  TRY(ServedModel model, served(path_of(id)));
  return loaded_.emplace(id, std::move(model)).first->second;
}

Result<std::shared_ptr<const ItemFactors>> ServedModels::load_factors(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  const auto known = factors_.find(id);
  if (known != factors_.end()) return known->second;
  std::erase_if(factors_, [](const auto& one) { return one.second.use_count() == 1; });
  TRY(ItemFactors factors, ItemFactors::load(path_of(id)));
  return factors_.emplace(id, std::make_shared<const ItemFactors>(std::move(factors)))
      .first->second;
}

}  // namespace attune
