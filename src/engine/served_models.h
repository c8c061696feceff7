// ServedModels: the files of registered models, in the workspace's folder "registry", each opened
// once and shared while somebody uses it. Safe to share.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "catalog/registry.h"
#include "decide/rank_model.h"
#include "model/item_factors.h"

namespace attune {

// A model that can rank: made for decisions, with exact parts.
struct ServedModel {
  std::shared_ptr<const Model> model;
  std::string plan;  // that its rows are made by, TOML
};

class ServedModels {
 public:
  explicit ServedModels(std::string folder) : folder_(std::move(folder)) {}
  std::string path_of(const std::string& id) const { return folder_ + "/" + id + ".model"; }
  // kNotFound without its file, kCorrupt when it is damaged, kInvalid when it cannot rank. The
  // first call reads the whole file.
  Result<ServedModel> load(const std::string& id);
  // The same of a model of kind factors, which draws candidates.
  Result<std::shared_ptr<const ItemFactors>> load_factors(const std::string& id);

 private:
  const std::string folder_;
  std::mutex mutex_;
  std::map<std::string, ServedModel> loaded_;
  std::map<std::string, std::shared_ptr<const ItemFactors>> factors_;
};

}  // namespace attune
