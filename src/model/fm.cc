// Second-order factorisation machine (Rendle 2010), logistic loss, AdaGrad with one accumulator for
// the weight and one for the vector of each feature:
//   logit = bias + sum_i w_i x_i + 1/2 sum_f [ (sum_i v_if x_i)^2 - sum_i (v_if x_i)^2 ]
// A row of the table: its own word, w, the accumulators of w and v, 4 unused, v. Vectors are padded
// with zeros to a multiple of 8 (kChunks of 8), which stay zeros. The plain twin, in doubles, is in
// fm_test.cc.
#include <array>

#include "model/feature_table.h"
#include "model/float8.h"
#include "model/sigmoid.h"
#include "model/start_vector.h"
#include "model/teaching.h"

namespace attune {
namespace {

constexpr Setting kSettings[] = {
    {"k", 8, 1, 64, "numbers in the vector of a feature", true},
    {"learning_rate", 0.1, 1e-9, 100, "size of the first step of a weight"},
    {"vector_rate", 0.02, 1e-9, 100, "size of the first step of a vector"},
    {"deviation", 0.02, 0, 10, "of the numbers vectors start with"},
    {"vector_l2", 2e-5, 0, 10, "draws vectors of a row's features to 0"},
    {"bias_rate", 0.05, 0, 100, "size of the first step of the bias"},
};

constexpr std::size_t kHead = 8;   // floats of a row before its vector
constexpr std::size_t kAhead = 2;  // rows, so that memory is there in time

struct Rates {
  float weight, vector, deviation, l2, bias;
};

template <std::size_t kChunks>
class Fm final : public StoredModel {
 public:
  Fm(const ModelOptions& options, std::span<const double> v)
      : StoredModel(options),
        k_(static_cast<std::size_t>(v[0])),
        rates_{static_cast<float>(v[1]), static_cast<float>(v[2]), static_cast<float>(v[3]),
               static_cast<float>(v[4]), static_cast<float>(v[5])},
        table_(options, (kHead + 8 * kChunks + 15) / 16 * 16, RowOrder::kBySlot) {}
  bool is_probability() const override { return true; }
  Status usable() const override { return table_.usable(); }
  double bias() const override { return bias_; }
  TableCounts counts() const override { return table_.counts(); }
  std::size_t memory_bytes() const override { return table_.memory_bytes(); }
  std::size_t most_memory_bytes() const override { return table_.most_memory_bytes(); }

  void predict(const Examples& rows, std::span<float> out) const override {
    FoundRows found;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      table_.prefetch(rows.row_if_any(r + kAhead));
      (void)table_.find(rows.row(r), found);  // none is found of what is not allowed
      table_.pad(found);
      out[r] = probability(look(found).logit + bias_);
    }
  }

  void learn(const Examples& rows, std::span<float> before) override {
    for (std::size_t r = 0; r < rows.size(); ++r) {
      before[r] =
          learn_row(rows.row(r), rows.labels[r], rows.weight(r), rows.row_if_any(r + kAhead));
    }
  }

  // A pair's share is halved between its two features.
  std::vector<float> parts(Row row, std::span<const std::uint16_t> /*fields*/) const override {
    std::vector<float> parts(row.size());
    FoundRows found;
    if (!table_.find(row, found)) return parts;
    table_.pad(found);
    const Seen all = look(found);
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!table_.find(row.subspan(i, 1), found) || found.size == 0) continue;
      const float x = found.x[0];
      Float8 pairs;
      for (std::size_t c = 0; c < kChunks; ++c) {
        const Float8 v = chunk(found.at[0], c);
        pairs = multiply_add(v, all.sums[c] - Float8(x) * v, pairs);
      }
      parts[i] = x * (found.at[0][1] + 0.5F * sum(pairs));
    }
    return parts;
  }

  bool restore(ModelSource& source) override {
    bias_ = source.reader.f32();
    bias_squares_ = source.reader.f32();
    return table_.restore(source);
  }

 protected:
  void encode_state(ModelSink& sink) const override {
    Writer w(sink.out);
    w.f32(bias_);
    w.f32(bias_squares_);
    table_.encode(sink);
  }

 private:
  struct Seen {
    std::array<Float8, kChunks> sums;  // of v x
    float logit = 0;                   // without the bias
  };

  static Float8 chunk(const float* row, std::size_t c) { return Float8::load(row + kHead + 8 * c); }

  static Seen look(const FoundRows& found) {
    Seen seen;
    Float8 squares;
    float linear = 0;
    for (std::size_t i = 0; i < found.size; ++i) {
      const float x = found.x[i];
      linear += found.at[i][1] * x;
      for (std::size_t c = 0; c < kChunks; ++c) {
        const Float8 scaled = chunk(found.at[i], c) * Float8(x);
        seen.sums[c] = seen.sums[c] + scaled;
        squares = multiply_add(scaled, scaled, squares);
      }
    }
    Float8 pairs = Float8(0.0F) - squares;
    for (const Float8& s : seen.sums) pairs = multiply_add(s, s, pairs);
    seen.logit = linear + 0.5F * sum(pairs);
    return seen;
  }

  void start(const FoundRows& found) const {
    for (const auto& [row, hash] : found.fresh) {
      start_vector(row + kHead, k_, rates_.deviation, options().seed, hash);
    }
  }

  // next: of a row to come, to be asked for.
  float learn_row(Row row, float label, float weight, Row next) {
    const bool teaches = is_label(label, true) && is_row_weight(weight);
    const bool is_allowed = teaches ? table_.take(row, found_, next) : table_.find(row, found_);
    if (!is_allowed) {
      table_.prefetch(next);
      return probability(bias_);
    }
    start(found_);
    table_.pad(found_);
    const Seen seen = look(found_);
    const float before = probability(seen.logit + bias_);
    if (!teaches) {
      table_.prefetch(next);
      return before;
    }
    const float error = before - label;
    for (std::size_t i = 0; i < found_.count; i += 8) {
      table_.prefetch_few(next);
      step_group(i, seen, error, weight);
    }
    table_.prefetch(next);
    bias_squares_ += weight * error * error;
    bias_ -= rates_.bias * weight * error / std::sqrt(1 + bias_squares_);
    return before;
  }

  void step_group(std::size_t i, const Seen& seen, float error, float weight) {
    float* const* at = &found_.at[i];
    if (!has_twice(at)) return step_eight(at, &found_.x[i], seen, {error, weight});
    for (std::size_t one = 0; one < 8; ++one) {  // one at a time, beside rows nobody reads
      std::array<float*, 8> alone;
      for (std::size_t k = 0; k < 8; ++k) alone[k] = found_.spare.data() + k * table_.width();
      const std::array<float, 8> x{found_.x[i + one]};
      alone[0] = at[one];
      step_eight(alone.data(), x.data(), seen, {error, weight});
    }
  }

  struct Push {
    float error, weight;
  };
  void step_eight(float* const* at, const float* values, const Seen& seen, Push push) {
    auto [columns] = load_columns(at);
    const Float8 x = Float8::load(values), weight(push.weight);
    const Float8 gradient = Float8(push.error) * x;
    columns[2] = multiply_add(weight * gradient, gradient, columns[2]);
    columns[1] = columns[1] -
                 Float8(rates_.weight) * weight * gradient / square_root(Float8(1.0F) + columns[2]);

    std::array<std::array<Float8, kChunks>, 8> slopes;
    std::array<Float8, 8> squares;
    for (std::size_t k = 0; k < 8; ++k) {
      const Float8 own(values[k]), g(push.error * values[k]), l2(rates_.l2);
      for (std::size_t c = 0; c < kChunks; ++c) {
        const Float8 v = chunk(at[k], c);
        slopes[k][c] = multiply_add(g, seen.sums[c] - own * v, l2 * v);
        squares[k] = multiply_add(slopes[k][c], slopes[k][c], squares[k]);
      }
    }
    const Float8 mean = sums_of(squares) * Float8(1.0F / static_cast<float>(k_));
    columns[3] = multiply_add(weight, mean, columns[3]);
    std::array<float, 8> rates;
    (Float8(rates_.vector) * weight / square_root(Float8(1.0F) + columns[3])).store(rates.data());
    store_columns({{columns[0], columns[1], columns[2], columns[3]}}, at);
    for (std::size_t k = 0; k < 8; ++k) {
      for (std::size_t c = 0; c < kChunks; ++c) {
        (chunk(at[k], c) - Float8(rates[k]) * slopes[k][c]).store(at[k] + kHead + 8 * c);
      }
    }
  }

  std::size_t k_;
  Rates rates_;
  FeatureTable table_;
  float bias_ = 0, bias_squares_ = 0;
  FoundRows found_;
};

std::unique_ptr<StoredModel> make_fm(const ModelOptions& options, std::span<const double> values) {
  const double k = values[0];
  if (k <= 8) return std::make_unique<Fm<1>>(options, values);
  if (k <= 16) return std::make_unique<Fm<2>>(options, values);
  if (k <= 32) return std::make_unique<Fm<4>>(options, values);
  return std::make_unique<Fm<8>>(options, values);
}

}  // namespace

const KindRow kFmKind{
    {"fm", "factorisation machine: weights and pairs of features (Rendle 2010)", kSettings},
    make_fm};

}  // namespace attune
