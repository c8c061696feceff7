// FieldBatch: a mini-batch as fields: for each row and field one vector, the sum of value * vector
// over the field's features. What interactions read and write.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "model/dense.h"
#include "model/float8.h"

namespace attune {

using EightChunks = std::array<const Float8*, 8>;  // of a FieldBatch's rows

// What a field of a row holds one by one, in the order of the row (the newest first).
struct Sequence {
  std::uint32_t row;
  std::uint16_t field;
  std::uint32_t begin, end;  // of FieldBatch::members; not empty
};

struct FieldBatch {
  std::size_t rows = 0;
  std::size_t fields = 0;       // a multiple of 3: the last may belong to nothing, and are 0
  std::size_t chunks = 0;       // of 8 numbers in a vector
  std::vector<Float8> vectors;  // (rows rounded up to a multiple of 4, fields, chunks)
  std::vector<Float8> slopes;   // of the same shape, after begin_slopes(): d loss / d vectors
  std::vector<Sequence> sequences;
  std::vector<Float8> members;  // value * vector of each feature of a sequence: (members, chunks)
  std::vector<Float8> member_slopes;  // of the same shape, after begin_slopes()
  std::size_t heads = 1;              // logits of a row
  std::vector<float> logits;          // (heads, rows)
  std::vector<float> errors;  // of the same shape: d loss / d logit, 0 where nothing is taught
  Precision precision = Precision::kSingle;  // of products of interactions
  // Of interactions, between forward() and backward(): each has kKeptOfOne of them, from its own
  // first.
  std::vector<std::vector<Float8>> kept;

  std::size_t row_chunks() const { return fields * chunks; }
  // Where chunks of the rows' first fields are, from number `begin` on (row * chunks + chunk);
  // beyond the last the last again. Other fields are `chunks` apart.
  EightChunks eight_chunks(std::size_t begin) const {
    EightChunks at{};
    std::size_t row = begin / chunks, chunk = begin % chunks;
    for (const Float8*& one : at) {
      one = &vectors[row * row_chunks() + chunk];
      if (chunk + 1 < chunks) {
        ++chunk;
      } else if (row + 1 < rows) {
        ++row;
        chunk = 0;
      }
    }
    return at;
  }
  // For so many rows without sequences, logits and errors 0. What vectors have is anything.
  void begin(std::size_t count) {
    rows = count;
    vectors.resize(padded_rows() * row_chunks());
    sequences.clear();
    members.clear();
    logits.assign(heads * count, 0.0F);
    errors.assign(heads * count, 0.0F);
  }
  // Zeroes them.
  void begin_slopes() {
    slopes.assign(vectors.size(), Float8());
    member_slopes.assign(members.size(), Float8());
  }
  Float8* vector_of(std::size_t row, std::size_t field) {
    return &vectors[row * row_chunks() + field * chunks];
  }
  Float8* slopes_of(std::size_t row, std::size_t field) {
    return &slopes[row * row_chunks() + field * chunks];
  }
  float* logits_of(std::size_t head) { return logits.data() + head * rows; }
  const float* errors_of(std::size_t head) const { return errors.data() + head * rows; }
  std::size_t padded_rows() const { return (rows + 3) / 4 * 4; }
  // Room for so many rows of so many chunks; what is in it is anything.
  Float8* keep(std::size_t slot, std::size_t numbers) {
    if (kept.size() <= slot) kept.resize(slot + 1);
    if (kept[slot].size() < numbers) kept[slot].resize(numbers);
    return kept[slot].data();
  }
};

// What makes a logit of the vectors of a row's fields. forward() is const and safe to share; the
// rest is one thread's.
class Interaction {
 public:
  virtual ~Interaction() = default;
  // Adds to logits. May add to the vectors of fields that are sequences, which backward() needs.
  virtual void forward(FieldBatch& batch) const = 0;
  // After forward(), begin_slopes() and with errors: adds to slopes and to the gradients of
  // weights(). What a sequence adds to the vector of its field is part of members' slopes, the sum
  // the vector was before is not.
  virtual void backward(FieldBatch& batch) = 0;
  // All it learns beside the vectors.
  virtual std::vector<AdamWeights*> weights() = 0;
  virtual std::size_t memory_bytes() const = 0;
  // Whether the logit is a sum over pairs of fields, so that it divides among them exactly.
  virtual bool is_pairwise() const = 0;
  virtual std::unique_ptr<Interaction> copy() const = 0;
};

}  // namespace attune
