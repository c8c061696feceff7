// Interactions of one head made into interactions of several tasks.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "model/field_batch.h"

namespace attune {

// An interaction for each head, of the same vectors: FwFM's pairs with weights of each task.
class OneForEach final : public Interaction {
 public:
  // They must not share what they keep.
  explicit OneForEach(std::vector<std::unique_ptr<Interaction>> all) : all_(std::move(all)) {}
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override;
  std::size_t memory_bytes() const override;
  bool is_pairwise() const override { return all_[0]->is_pairwise(); }
  std::unique_ptr<Interaction> copy() const override;

 private:
  std::vector<std::unique_ptr<Interaction>> all_;
};

// One interaction whose logit each head takes times a weight of its own, 1 at the start.
class SharedByAll final : public Interaction {
 public:
  // slot: what is kept here, one; not one that `shared` uses.
  SharedByAll(std::unique_ptr<Interaction> shared, std::size_t heads, std::size_t slot);
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override;
  std::size_t memory_bytes() const override;
  bool is_pairwise() const override { return shared_->is_pairwise(); }
  std::unique_ptr<Interaction> copy() const override;

 private:
  std::unique_ptr<Interaction> shared_;
  AdamWeights scale_;  // (heads)
  std::size_t slot_;
};

}  // namespace attune
