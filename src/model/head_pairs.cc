#include "model/head_pairs.h"

#include <algorithm>

namespace attune {
namespace {

// Errors and logits of a batch as an interaction of one head sees them, for a while.
class AsOne {
 public:
  explicit AsOne(FieldBatch& batch) : batch_(batch), heads_(batch.heads) {
    batch.heads = 1;
    std::swap(batch.logits, logits);
    std::swap(batch.errors, errors);
  }
  ~AsOne() {
    batch_.heads = heads_;
    std::swap(batch_.logits, logits);
    std::swap(batch_.errors, errors);
  }
  AsOne(const AsOne&) = delete;
  AsOne& operator=(const AsOne&) = delete;
  std::vector<float> logits, errors;  // of all heads

 private:
  FieldBatch& batch_;
  std::size_t heads_;
};

}  // namespace

void OneForEach::forward(FieldBatch& batch) const {
  AsOne as(batch);
  for (std::size_t h = 0; h < all_.size(); ++h) {
    batch.logits.assign(batch.rows, 0.0F);
    all_[h]->forward(batch);
    for (std::size_t r = 0; r < batch.rows; ++r) as.logits[h * batch.rows + r] += batch.logits[r];
  }
}

void OneForEach::backward(FieldBatch& batch) {
  AsOne as(batch);
  for (std::size_t h = 0; h < all_.size(); ++h) {
    const float* const own = as.errors.data() + h * batch.rows;
    batch.errors.assign(own, own + batch.rows);
    all_[h]->backward(batch);
  }
}

std::vector<AdamWeights*> OneForEach::weights() {
  std::vector<AdamWeights*> all;
  for (const auto& one : all_) {
    for (AdamWeights* const weights : one->weights()) all.push_back(weights);
  }
  return all;
}

std::size_t OneForEach::memory_bytes() const {
  std::size_t bytes = 0;
  for (const auto& one : all_) bytes += one->memory_bytes();
  return bytes;
}

std::unique_ptr<Interaction> OneForEach::copy() const {
  std::vector<std::unique_ptr<Interaction>> all;
  for (const auto& one : all_) all.push_back(one->copy());
  return std::make_unique<OneForEach>(std::move(all));
}

SharedByAll::SharedByAll(std::unique_ptr<Interaction> shared, std::size_t heads, std::size_t slot)
    : shared_(std::move(shared)), slot_(slot) {
  scale_.resize(heads);
  std::fill(scale_.w.begin(), scale_.w.end(), 1.0F);
}

// Kept: the logit of each row.
void SharedByAll::forward(FieldBatch& batch) const {
  auto* const kept = reinterpret_cast<float*>(batch.keep(slot_, (batch.rows + 7) / 8));
  AsOne as(batch);
  batch.logits.assign(batch.rows, 0.0F);
  shared_->forward(batch);
  std::copy(batch.logits.begin(), batch.logits.end(), kept);
  for (std::size_t i = 0; i < scale_.w.size() * batch.rows; ++i) {
    as.logits[i] += scale_.w[i / batch.rows] * kept[i % batch.rows];
  }
}

void SharedByAll::backward(FieldBatch& batch) {
  const auto* const kept = reinterpret_cast<const float*>(batch.kept[slot_].data());
  AsOne as(batch);
  batch.errors.assign(batch.rows, 0.0F);
  for (std::size_t i = 0; i < scale_.w.size() * batch.rows; ++i) {
    const std::size_t h = i / batch.rows, r = i % batch.rows;
    scale_.gradient[h] += as.errors[i] * kept[r];
    batch.errors[r] += as.errors[i] * scale_.w[h];
  }
  shared_->backward(batch);
}

std::vector<AdamWeights*> SharedByAll::weights() {
  std::vector<AdamWeights*> all = shared_->weights();
  all.insert(all.begin(), &scale_);
  return all;
}

std::size_t SharedByAll::memory_bytes() const {
  return shared_->memory_bytes() + scale_.w.size() * 4 * sizeof(float);
}

std::unique_ptr<Interaction> SharedByAll::copy() const {
  auto out = std::make_unique<SharedByAll>(shared_->copy(), scale_.w.size(), slot_);
  out->scale_ = scale_;
  return out;
}

}  // namespace attune
