// The two products of FieldPairs (field_pairs.h) of numbers of 16 bits (bfloat16.h), summed up in
// 32. Not without has_bfloat16(). Safe on several threads; a thread keeps room for the largest it
// had.
#pragma once
#include "model/bfloat16_parts.h"
#include "model/field_batch.h"

namespace attune {

// R (fields, fields), rounded.
class RoundedWeights {
 public:
  // One of a thread at a time.
  RoundedWeights(const float* weights, std::size_t fields);
  // U_f = sum_h R_fh V_h of eight chunks whose fields are `step` apart. out: (fields, 8).
  void weigh(const EightChunks& own, std::size_t step, Float8* out) const;

 private:
  std::size_t fields_;
  bfloat16::Left weights_;
};

// Adds the sum over rows of error <V_f, V_h> to gradient (fields, fields) for all h > f.
void add_pairs_bfloat16(const FieldBatch& batch, float* gradient);

}  // namespace attune
