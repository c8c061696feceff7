// SecondLoss: what a model of several tasks is to be good at besides telling each task's label:
//   L = sum over tasks t of weight_t * (log loss of t) + weight * (second loss)
// It sees a mini-batch whole, so it may compare rows. Const; safe to share.
//
// A new one is a class here and a line in make_second_loss(). The regret of the slate that would be
// chosen under a budget (L_ad, with campaigns) fits in so: HeadBatch gets, for each row, its slate
// and its price; add() takes the value of a row from its logits by head, gives what the soft choice
// among the rows of a slate loses against the best one that the budget allows, and the slopes of
// that by logit.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace attune {

// A head is what says one task's logit.
struct HeadBatch {
  std::size_t heads, rows;
  std::span<const float> logits;   // (heads, rows)
  std::span<const float> labels;   // (heads, rows), in [0, 1]; NaN = not known
  std::span<const float> weights;  // (rows): importance; 0 = the row teaches nothing
  float logit(std::size_t head, std::size_t row) const { return logits[head * rows + row]; }
  float label(std::size_t head, std::size_t row) const { return labels[head * rows + row]; }
};

class SecondLoss {
 public:
  struct Value {
    double sum = 0, rows = 0;  // of loss by weight, and of weights: their ratio is the mean
  };
  virtual ~SecondLoss() = default;
  // Of the batch; adds scale * d sum / d logit to slopes, (heads, rows).
  virtual Value add(const HeadBatch& batch, float scale, std::span<float> slopes) const = 0;
};

// Pairs of rows of a batch, of the same task, one whose label is 1 and one whose label is 0: the
// first is to have the higher logit (RankNet, Burges et al. 2005; beside log loss Li et al. 2015).
// Each row with label 1 counts as a row, with the mean over those with label 0 of
//   log(1 + exp(z_0 - z_1)).
class PairLoss final : public SecondLoss {
 public:
  Value add(const HeadBatch& batch, float scale, std::span<float> slopes) const override;
};

struct SecondLossKind {
  std::string_view name, summary;
};
std::span<const SecondLossKind> second_loss_kinds();
// kInvalid for an unknown name, with those there are.
Result<std::unique_ptr<SecondLoss>> make_second_loss(const std::string& name);

}  // namespace attune
