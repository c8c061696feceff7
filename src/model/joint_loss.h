// JointLoss: what a model of several tasks lowers: the log loss of each, weighed as stated, and a
// second loss. const calls are safe to share.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/second_loss.h"

namespace attune {

class JointLoss {
 public:
  // options: checked. Nothing to do of one task without a second loss.
  explicit JointLoss(const ModelOptions& options);
  bool is_joint() const { return parts_.tasks.size() > 1 || second_; }
  // Writes d L / d logit of the batch's sum to slopes, (heads, rows), and counts the parts of L.
  void take(const HeadBatch& batch, std::span<float> slopes);
  // Adds what another of the same options counted, which forgets it.
  void take_counts(JointLoss& of);
  // Of all batches so far.
  const JointParts& parts() const { return parts_; }

 private:
  void take_head(const HeadBatch& batch, std::size_t head, std::span<float> slopes);

  JointParts parts_;
  std::unique_ptr<SecondLoss> second_;
};

}  // namespace attune
