// Interactions of pairs of fields: their logit is a sum over pairs, so it divides among them
// exactly.
#pragma once
#include <memory>
#include <vector>

#include "model/field_batch.h"

namespace attune {

inline constexpr std::size_t kKeptOfOne = 16;  // slots of FieldBatch::kept an interaction may use

// Field-weighted pairs (FwFM, Pan et al. 2018): the sum over pairs of fields of R_fh <V_f, V_h>, R
// symmetric with zeros on the diagonal. With U_f = sum_h R_fh V_h:
//   logit = 1/2 sum_f <V_f, U_f>,  d logit / d V_f = U_f,  d logit / d R_fh = <V_f, V_h>.
// Keeps U and error * V.
class FieldPairs final : public Interaction {
 public:
  // used: fields that are there, at most `fields`; start: R between them.
  // slot: the first of two of FieldBatch::kept.
  FieldPairs(std::size_t fields, std::size_t used, float start, float rate_factor,
             std::size_t slot = 0);
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override { return {&weights_}; }
  std::size_t memory_bytes() const override { return weights_.w.size() * 4 * sizeof(float); }
  bool is_pairwise() const override { return true; }
  std::unique_ptr<Interaction> copy() const override { return std::make_unique<FieldPairs>(*this); }

 private:
  void weigh_eight(const EightChunks& own, std::size_t step, Float8* out) const;
  void add_slopes(FieldBatch& batch) const;
  void add_gradients(FieldBatch& batch);
  void add_gradients_bfloat16(const FieldBatch& batch);
  void add_gradient(const FieldBatch& batch, std::size_t f, std::size_t h);

  std::size_t fields_, slot_;
  AdamWeights weights_;  // R
};

// Field-aware pairs (FFM, Juan et al. 2016): a feature has one vector for each field, and features
// i of field f and j of field h meet as x_i x_j <v_i,h, v_j,f>. With S_f,h the sum of x_i v_i,h
// over the features of field f:
//   logit = 1/2 sum over f != h of <S_f,h, S_h,f>,  d logit / d S_f,h = S_h,f.
// A feature's vectors lie side by side, by field: they are its one long vector. Features of the
// same field do not meet.
class FieldAware final : public Interaction {
 public:
  // k: numbers for one field, a multiple of 4.
  FieldAware(std::size_t fields, std::size_t k) : fields_(fields), k_(k) {}
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override { return {}; }
  std::size_t memory_bytes() const override { return 0; }
  bool is_pairwise() const override { return true; }
  std::unique_ptr<Interaction> copy() const override { return std::make_unique<FieldAware>(*this); }

 private:
  float turn(const float* own, float* others, std::size_t line) const;
  float turn_fours(const float* own, float* others, std::size_t line) const;
  float turn_rest(const float* own, float* others, std::size_t line) const;

  std::size_t fields_, k_;
};

// All pairs of fields alike (FM, Rendle 2010): the sum over pairs of <V_f, V_h>.
class AllPairs final : public Interaction {
 public:
  explicit AllPairs(std::size_t slot) : slot_(slot) {}
  void forward(FieldBatch& batch) const override;
  void backward(FieldBatch& batch) override;
  std::vector<AdamWeights*> weights() override { return {}; }
  std::size_t memory_bytes() const override { return 0; }
  bool is_pairwise() const override { return true; }
  std::unique_ptr<Interaction> copy() const override { return std::make_unique<AllPairs>(*this); }

 private:
  std::size_t slot_;
};

}  // namespace attune
