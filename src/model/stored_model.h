// StoredModel: what kinds share: their options, and the bytes of a model around the state of its
// kind: magic, version, options, state, hash64 of all before (docs/reference/model-format.md).
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/hash_stream.h"
#include "model/byte_sink.h"
#include "model/model.h"

namespace attune {

// What encode_state() writes to: small pieces into `out`, what is long through pass().
class ModelSink {
 public:
  explicit ModelSink(ByteSink& to) : to_(to) {}
  std::string out;
  // Hands on what is in out once it is long; to be called now and then.
  void drain_if_long() {
    if (out.size() >= kLong) drain();
  }
  // After what is in out; not copied.
  void pass(std::string_view bytes);
  // Bytes so far, from the magic of the model.
  std::uint64_t size() const { return passed_ + out.size(); }
  // Ends with the checksum of all before.
  void seal();

 private:
  static constexpr std::size_t kLong = 256 << 10;
  void drain();

  ByteSink& to_;
  std::uint64_t passed_ = 0;
  HashStream hash_;
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
  void write(ByteSink& to) const final;
  // Why a model of these options cannot be: no memory for its table, no inputs.
  virtual Status usable() const = 0;
  // Fills a model just made with these options; false when the state makes no sense.
  virtual bool restore(ModelSource& source) = 0;

 protected:
  virtual void encode_state(ModelSink& sink) const = 0;

 private:
  const ModelOptions options_;
};

// Whether a model may learn on so many threads; can_share: whether its kind and table can at all.
Status can_use_threads(const ModelOptions& options, bool can_share, std::size_t threads);

// A kind as model.cc lists it, made in its own file. values: its settings in the order of the
// table; options are checked and completed.
struct KindRow {
  ModelKind kind;
  std::unique_ptr<StoredModel> (*make)(const ModelOptions& options, std::span<const double> values);
};
extern const KindRow kFtrlKind, kSgdKind, kAdagradKind, kAdamKind, kLinearKind, kFmKind, kFwfmKind,
    kFfmKind, kWideDeepKind, kDeepFmKind, kDcnKind, kFinalMlpKind, kMlpKind, kTreeKind, kForestKind,
    kTreesKind, kDinKind, kGruKind, kSasRecKind;

}  // namespace attune
