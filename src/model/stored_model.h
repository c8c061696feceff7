// StoredModel: what kinds share: their options, and the bytes of a model around the state of its
// kind: magic, version, options, state, hash64 of all before (docs/reference/model-format.md).
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "model/model.h"

namespace attune {

// What encode_state() appends to. begin: where the bytes of the model begin in out.
struct ModelSink {
  std::string& out;
  std::size_t begin;
};

// What restore() reads: the state alone is left in reader.
struct ModelSource {
  std::string_view all;         // the bytes of the model, from their magic
  Reader reader;                // at the state
  std::shared_ptr<void> owner;  // of `all`; nothing = copy
};

class StoredModel : public Model {
 public:
  explicit StoredModel(ModelOptions options) : options_(std::move(options)) {}
  const ModelOptions& options() const final { return options_; }
  void encode(std::string& out) const final;
  // Why a model of these options cannot be: no memory for its table, no inputs.
  virtual Status usable() const = 0;
  // Fills a model just made with these options; false when the state makes no sense.
  virtual bool restore(ModelSource& source) = 0;

 protected:
  virtual void encode_state(ModelSink& sink) const = 0;

 private:
  const ModelOptions options_;
};

// A kind as model.cc lists it, made in its own file. values: its settings in the order of the
// table; options are checked and completed.
struct KindRow {
  ModelKind kind;
  std::unique_ptr<StoredModel> (*make)(const ModelOptions& options, std::span<const double> values);
};
extern const KindRow kFtrlKind, kSgdKind, kAdagradKind, kAdamKind, kLinearKind, kFmKind, kMlpKind;

}  // namespace attune
