#include "model/sequence_encoder.h"

#include "model/hidden_layers.h"

namespace attune {

void OverSequences::forward(FieldBatch& batch) const {
  if (!batch.sequences.empty()) encoder_->forward(batch);
  fields_->forward(batch);
}

void OverSequences::backward(FieldBatch& batch) {
  fields_->backward(batch);
  if (!batch.sequences.empty()) encoder_->backward(batch);
}

std::vector<AdamWeights*> OverSequences::weights() {
  std::vector<AdamWeights*> all = fields_->weights();
  for (AdamWeights* const one : encoder_->weights()) all.push_back(one);
  return all;
}

std::size_t OverSequences::memory_bytes() const {
  return bytes_of(const_cast<SequenceEncoder&>(*encoder_).weights()) + fields_->memory_bytes();
}

}  // namespace attune
