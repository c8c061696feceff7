// FieldModel: models over fields (FwFM, DeepFM, ...): a vector, a weight and a click rate for each
// feature id, and an Interaction that makes a logit of the vectors of the fields:
//   logit = bias + sum_i w_i x_i + sum_i s_field(i) r_i + interaction(V),  V_f = sum_(i in f) x_i
//   v_i
// Of several tasks each has a head: its own bias, weights, rates, and logit of the interaction; the
// vectors are shared, and learn from the joint loss (joint_loss.h).
// r_i is how much more often rows with this id are a 1 than all are, in logits, smoothed with 10
// rows of all; read before the batch's own labels count, so nothing leaks. Rows are taken in
// mini-batches, `batch` at a time within one call of learn() (less while few rows were seen): all
// are predicted, then all learned from. Ids learn by AdaGrad with one accumulator for the weight
// and one for the vector (or each piece of it), what is dense by Adam. Fields beyond options.inputs
// count as the last one. What a sequence holds (options.sequences) has the vector of the id it is
// like, and neither weight nor rate; interactions see it one by one as well as summed.
#pragma once
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "model/feature_table.h"
#include "model/field_batch.h"
#include "model/further_heads.h"
#include "model/joint_loss.h"
#include "model/replicated_model.h"
#include "model/sequence_rows.h"

namespace attune {

// The settings all such kinds share; theirs begin with these.
inline constexpr std::array kFieldSettings = {
    Setting{"k", 8, 1, 64, "numbers in the vector of a feature", true},
    Setting{"learning_rate", 0.05, 1e-9, 100, "size of the first step of a weight"},
    Setting{"vector_rate", 0.08, 1e-9, 100, "size of the first step of a vector"},
    Setting{"deviation", 0.005, 0, 10, "of the numbers vectors start with"},
    Setting{"vector_l2", 1e-3, 0, 10, "draws vectors of a row's features to 0"},
    Setting{"bias_rate", 0.05, 0, 100, "size of the first step of the bias"},
    Setting{"batch", 32, 1, 8192, "rows of a step", true},
    Setting{"dense_rate", 1e-3, 0, 10, "size of a step of what is not a feature's (Adam)"},
    Setting{"rates", 1, 0, 1, "1 = the click rate of each feature is an input, 0 = it is not",
            true},
};

// kFieldSettings (with other presets, in their order, where given) and then those of a kind.
template <std::size_t N>
constexpr std::array<Setting, kFieldSettings.size() + N> with_field_settings(
    const std::array<double, kFieldSettings.size()>& presets, const Setting (&own)[N]) {
  std::array<Setting, kFieldSettings.size() + N> all{};
  for (std::size_t i = 0; i < kFieldSettings.size(); ++i) {
    all[i] = kFieldSettings[i];
    all[i].preset = presets[i];
  }
  for (std::size_t i = 0; i < N; ++i) all[kFieldSettings.size() + i] = own[i];
  return all;
}

// The vector of a feature.
struct VectorShape {
  std::size_t numbers;  // in it that are not always 0: they start at random
  std::size_t chunks;   // of 8 numbers it takes in memory
  std::size_t piece;    // chunks that share an accumulator: all of them, or 2 if chunks % 2 == 0
};

constexpr auto with_field_settings(const std::array<double, kFieldSettings.size()>& presets) {
  auto all = kFieldSettings;
  for (std::size_t i = 0; i < all.size(); ++i) all[i].preset = presets[i];
  return all;
}

class FieldModel final : public ReplicatedModel {
 public:
  static constexpr std::size_t kMostFields = 1024;
  // Floats of a row before its vector: the table's own word, w, the accumulators of w and of the
  // vector, rows and ones seen, 1 unused, 1 of the table's when several threads learn; with several
  // pieces, then their accumulators; of several tasks, then what further heads have.
  static constexpr std::size_t kHead = 8;
  // 1 or 0; the last of fwfm and of the kinds with layers.
  static constexpr Setting kRounding{
      "bfloat16",
      1,
      0,
      1,
      "1 = while learning, numbers of 16 bits are multiplied where the processor can",
      true};
  // The fields of a batch: inputs rounded up to a multiple of 3. At least 3.
  static std::size_t fields_of(const ModelOptions& options);
  // Of a vector of so many numbers with one accumulator.
  static VectorShape plain(std::size_t numbers) {
    return {numbers, (numbers + 7) / 8, (numbers + 7) / 8};
  }
  // values: of kFieldSettings; the first and what comes after them is not looked at. Without an
  // interaction (its layers would be too large) it is not usable.
  FieldModel(const ModelOptions& options, std::span<const double> values, VectorShape shape,
             std::unique_ptr<Interaction> interaction);
  // Of the products of its interaction while it learns from whole mini-batches; predictions and
  // attributions are of single precision. Before it learns; kSingle unless called.
  void learn_in(Precision precision) { precision_ = precision; }

  bool is_probability() const override { return true; }
  Status usable() const override;
  double bias() const override;
  TableCounts counts() const override { return table_.counts(); }
  std::size_t memory_bytes() const override;
  std::size_t most_memory_bytes() const override;
  void predict(const Examples& rows, std::span<float> out) const override;
  void predict_heads(const Examples& rows, std::span<float> out) const override;
  JointParts joint_parts() const override {
    return joint_.is_joint() ? joint_.parts() : JointParts{};
  }
  std::vector<float> parts(Row row, std::span<const std::uint16_t> fields) const override;
  bool restore(ModelSource& source) override;

 protected:
  void learn_range(const Examples& rows, std::size_t begin, std::size_t end,
                   std::span<float> before) override;
  bool can_be_replicated() const override { return table_.is_hashed(); }
  std::size_t mini_batch() const override { return batch_; }
  FeatureTable& table() override { return table_; }
  RowParts row_parts() const override;
  std::vector<Numbers> numbers() const override;
  void set(std::span<const Numbers> numbers) override;
  void take_losses(ReplicatedModel& of) override;
  void start_row(float* row, std::uint32_t hash) const override;
  std::vector<AdamWeights*> dense() override;
  std::array<double, 2>& adam_powers() override { return adam_.powers; }
  void encode_state(ModelSink& sink) const override;

 private:
  struct Gathered {
    FoundRows found;
    std::size_t plain = 0;              // found before those of sequences
    std::vector<std::uint16_t> fields;  // of each found, at most fields_ - 1
    std::vector<float> rates;           // r of each found
    std::vector<float> further_rates;   // of further heads
    // By these vectors count; of what has sequences, for there found.x is 0 of what they hold, so
    // that it has no weight. Else empty.
    std::vector<float> x;
    std::vector<float> own;   // x by the weight of the row; empty = the weight is 1
    std::size_t members = 0;  // of the batch, before those of this row
    bool is_allowed = true;
  };
  struct Pass {
    FieldBatch batch;
    std::vector<Gathered> rows;
    SequenceRows apart;  // with sequences: the rows of the batch, and those asked for ahead
    std::vector<float> labels, weights;  // (heads, rows), NaN = not known; (rows)
  };
  struct Push {
    float error, weight, counted, label;  // counted: weight, or 0 without a label
  };
  struct Values {          // of eight
    const float *x, *own;  // own: x by the weight of the row, for slopes hold it
  };

  void begin(Pass& pass, std::size_t rows) const;
  bool has_sequences() const { return !options().sequences.empty(); }
  // Sets sequences apart, if there are any, of a batch and of the rows that are asked for ahead.
  void read_rows(const Examples& rows, std::size_t begin, std::size_t end, Pass& pass) const;
  Row row_of(const Examples& rows, std::size_t row, const Pass& pass) const {
    return has_sequences() ? pass.apart.row_if_any(row) : rows.row_if_any(row);
  }
  void place(const Examples& rows, std::size_t r, Pass& pass, Gathered& to) const;
  void place_apart(std::size_t r, Pass& pass, Gathered& to) const;
  void gather(Gathered& from, Pass& pass, std::size_t at) const;
  void sum_vectors(const Gathered& from, Float8* vectors) const;
  void add_sequences(Gathered& from, Pass& pass, std::size_t at) const;
  std::size_t plain_of(const Gathered& row) const {
    return has_sequences() ? row.plain : row.found.size;
  }
  std::span<const std::uint16_t> plain_fields(const Gathered& row) const {
    return std::span(row.fields).first(plain_of(row));
  }
  const float* values_of(const Gathered& row) const {
    return has_sequences() ? row.x.data() : row.found.x.data();
  }
  // Of feature i found in a row of the batch. slopes: of the row.
  const Float8* slopes_at(const Gathered& row, std::size_t i, const Float8* slopes) const {
    const bool is_member = has_sequences() && i >= row.plain && i < row.found.size;
    return is_member ? &pass_.batch.member_slopes[(row.members + i - row.plain) * chunks_]
                     : slopes + row.fields[i] * chunks_;
  }
  void read_rates(Gathered& of) const;
  // Asks where a row further ahead lies; the row ahead, of which the table may now be asked. And
  // for a row still further ahead, which another thread may have read.
  Row prefetch_places(const Examples& rows, std::size_t row, const Pass& pass) const {
    rows.prefetch(row + 8);
    table_.prefetch_places(row_of(rows, row + 2, pass));
    return row_of(rows, row + 1, pass);
  }
  void predict_batch(const Examples& rows, std::size_t begun, Pass& pass) const;
  void take_labels(const Examples& rows, std::size_t begun);
  std::size_t find_errors(const Examples& rows, std::size_t begun, std::span<float> before);
  std::size_t step_rows() const;
  void learn_batch(const Examples& rows, std::size_t begin, std::size_t end,
                   std::span<float> before);
  void add_member_slopes(FieldBatch& batch) const;
  void step_row(Gathered& row, const Float8* slopes, const Push& push);
  void add_rate_gradient(const Gathered& row, const Push& push);
  void count_row(const Push& push);
  void step_group(Gathered& row, std::size_t i, const Float8* slopes, const Push& push);
  void step_eight(float* const* at, const Values& of, const Float8* const* slopes,
                  const Push& push) const;
  Float8 step_vectors(float* const* at, const float* own, const Float8* const* slopes,
                      const Push& push, Float8 squares) const;
  Float8 step_short_vectors(float* const* at, const float* own, const Float8* const* slopes,
                            const Push& push, Float8 squares) const;
  void step_pieces(float* row, float x, const Float8* slopes, float weight) const;
  Float8 chunk(const float* row, std::size_t c) const { return Float8::load(row + head_ + 8 * c); }
  struct MeanSlopes {
    std::vector<Float8> vectors, members;
  };
  MeanSlopes mean_slopes(const FieldBatch& to) const;
  float base_rate() const;
  std::uint16_t last_field() const {
    return static_cast<std::uint16_t>(std::max<std::size_t>(options().inputs, 1) - 1);
  }

  std::size_t fields_, chunks_, numbers_, batch_;
  Precision precision_ = Precision::kSingle;
  std::size_t pieces_;  // of a vector, each with an accumulator
  std::size_t head_;    // floats of a row before its vector
  float weight_rate_, vector_rate_, deviation_, vector_l2_, bias_rate_;
  bool has_rates_;
  std::unique_ptr<Interaction> interaction_;
  FeatureTable table_;
  AdamWeights rate_weights_;  // s, by field
  Adam adam_;
  float bias_ = 0, bias_squares_ = 0;
  double rows_ = 0, ones_ = 0;  // learned from, by weight
  JointLoss joint_;
  FurtherHeads further_;
  Pass pass_;
};

}  // namespace attune
