// ModelFile: a trained model as a file of named sections, mapped and checked
// (docs/reference/model-format.md). Const calls are safe to share.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "model/feature_names.h"
#include "model/model.h"

namespace attune {

inline constexpr std::string_view kModelMagic = "ATTMODEL";  // what a model file begins with

struct ModelSection {
  std::string name;  // 1 to 16 of a-z and _
  std::string_view bytes;
  const Model* model = nullptr;  // its bytes instead, written as they are made
};

// Writes the file whole or not at all and gives the model's id: "m_" and 26 base32 characters, made
// from the content alone. kInvalid for a name that is no name or comes twice.
Result<std::string> store_model_file(const std::string& path,
                                     std::span<const ModelSection> sections);

// Copies a model file to a name of its content: whole or not at all; one that is there already
// stays.
Status copy_model_file(const std::string& from, const std::string& to);

class ModelFile {
 public:
  // kNotFound when there is none, kCorrupt for damage of its head, kInvalid for a newer version.
  static Result<ModelFile> open(const std::string& path);
  const std::string& id() const { return id_; }
  std::vector<std::string> section_names() const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::uint64_t size_bytes() const { return file_.bytes().size(); }
  // Valid as long as this file. kNotFound, or kCorrupt when its checksum does not match. O(size).
  Result<std::string_view> section(std::string_view name) const;
  // The section "model"; its tables stay in the mapping, which lives as long as the model. What it
  // learns is not written to the file.
  Result<std::unique_ptr<Model>> model() const;
  // The section "names"; empty and not whole when there is none.
  Result<FeatureNames> names() const;

 private:
  struct Entry {
    std::string name;
    std::uint64_t offset, size, low, high;
  };
  const Entry* find(std::string_view name) const;

  std::string path_, id_;
  MappedFile file_;
  std::vector<Entry> entries_;
};

}  // namespace attune
