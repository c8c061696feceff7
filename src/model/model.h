// Model: what everything that learns from Examples can do; one call a block of rows, so that a
// virtual call costs nothing. predict() and parts() are const and safe to share; the rest is one
// thread's. The contract every kind keeps is tests/contract/model_test.cc.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/examples.h"

namespace attune {

class Model {
 public:
  virtual ~Model() = default;
  virtual std::string_view kind() const = 0;  // "ftrl", "fm", "mlp", "linear"
  virtual bool is_probability() const = 0;    // else predict() gives values
  // out[r] = P(label = 1) of row r, or its expected value; out.size() == rows.size().
  virtual void predict(const Examples& rows, std::span<float> out) const = 0;
  // Learns from the rows in order; before[r] = what was predicted of row r before it (or its
  // mini-batch) was learned from. A row whose label or values are not finite teaches nothing.
  virtual void learn(const Examples& rows, std::span<float> before) = 0;
  // Additive parts of a row's logit (or value), one per feature; with bias() they sum to it.
  // Empty where the model has no exact ones (mlp).
  virtual std::vector<float> parts(Row row, std::span<const std::uint16_t> fields) const = 0;
  virtual double bias() const = 0;
  virtual std::size_t memory_bytes() const = 0;
  // Canonical and complete: continuing after decode_model equals never having stopped.
  virtual void encode(std::string& out) const = 0;
};

struct ModelOptions {
  std::string kind = "ftrl";
  int bits = 22;           // hashed tables of 2^bits rows, in [8, 28]
  std::uint64_t seed = 1;  // same seed, same bits
  std::size_t inputs = 0;  // mlp: fields of a row
  // Settings by name ("alpha", "k", "learning_rate", ...); unknown ones are refused.
  std::vector<std::pair<std::string, double>> settings;
};
Result<std::unique_ptr<Model>> make_model(const ModelOptions& options);
Result<std::unique_ptr<Model>> decode_model(std::string_view bytes);

}  // namespace attune
