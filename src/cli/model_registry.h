// The registry of a workspace from the command line: through its folder while nobody serves it, or
// through a server. Reading needs neither: it works beside a server.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/registry.h"
#include "cli/access.h"

namespace attune {

// "ranker" or "ranker@3".
struct ModelReference {
  std::string name;
  std::uint32_t version = 0;  // 0 = the promoted one
};
// nullopt when the text is none.
std::optional<ModelReference> model_reference(const std::string& text);

// Where the file of a model is: a path, or NAME[@VERSION] of the workspace's registry. kNotFound
// when it is neither, naming the nearest.
Result<std::string> find_model(const std::string& model, const std::string& workspace);

// One change at a time. Each gives the model as it is then.
class ModelChanges {
 public:
  static Result<std::unique_ptr<ModelChanges>> open(const Place& place);
  virtual ~ModelChanges() = default;
  // A file of attune train becomes the next version. about: JSON object text.
  virtual Result<RegisteredModel> add(const std::string& name, const std::string& file,
                                      const std::string& about) = 0;
  virtual Result<RegisteredModel> promote(const ModelReference& model,
                                          const std::string& reason) = 0;
  virtual Result<RegisteredModel> roll_back(const std::string& name, const std::string& reason) = 0;
  virtual Result<RegisteredModel> remove(const ModelReference& model) = 0;
  virtual Result<RegisteredModel> challenge(const ChallengeModel& change) = 0;
  virtual Result<RegisteredModel> retire(const std::string& name, const std::string& reason) = 0;
  virtual Result<RegisteredModel> teach(const ModelReference& model, bool is_learning,
                                        const std::string& reason) = 0;
  // What it has learned from the stream becomes the newest version.
  virtual Result<RegisteredModel> keep(const ModelReference& model) = 0;
  // As Engine::compare_model tells it. Changes nothing.
  virtual Result<std::string> compare(const std::string& name) = 0;
  virtual Status close() = 0;
};

}  // namespace attune
