// A network of one hidden layer over the fields of a row: inputs -> hidden -> ReLU -> 1, binary
// cross-entropy on the logit, Adam (Kingma and Ba 2015) on mini-batches. The input of a field is
// the sum of its values in the row; fields beyond `inputs` are left out. Starts uniform in
// +-1/sqrt(fan in). Rows are taken in order, `batch` at a time within one call of learn().
// With k above 0 it is another network: the inputs are vectors of ids, summed up by field.
#include <array>

#include "base/rng.h"
#include "model/adam.h"
#include "model/field_model.h"
#include "model/sigmoid.h"
#include "model/teaching.h"
#include "model/tower.h"

namespace attune {
namespace {

constexpr Setting kSettings[] = {
    {"hidden", 128, 1, 4096, "units of the hidden layer", true},
    {"learning_rate", 0.001, 1e-9, 10, "size of a step"},
    {"batch", 64, 1, 65536, "rows of a step", true},
    {"beta1", 0.9, 0, 0.9999, "memory of the gradient"},
    {"beta2", 0.999, 0, 0.999999, "memory of its square"},
    {"l2", 0, 0, 10, "draws weights to 0"},
    {"k", 0, 0, 64, "numbers in a vector for each id, the inputs then; 0 = inputs are fields",
     true},
    {"hidden2", 0, 0, 4096, "units of a second hidden layer; for k above 0", true},
    FieldModel::kRounding,
};

class Mlp final : public StoredModel {
 public:
  Mlp(const ModelOptions& options, std::span<const double> v)
      : StoredModel(options),
        inputs_(options.inputs),
        hidden_(static_cast<std::size_t>(v[0])),
        batch_(static_cast<std::size_t>(v[2])),
        adam_(v[1], v[3], v[4], v[5]) {
    if (is_too_large()) return;
    first_.resize(inputs_ * hidden_);
    first_bias_.resize(hidden_);
    second_.resize(hidden_);
    second_bias_.resize(1);
    Rng rng(options.seed);
    start(rng, first_, inputs_);
    start(rng, first_bias_, inputs_);
    start(rng, second_, hidden_);
    start(rng, second_bias_, hidden_);
  }
  bool is_probability() const override { return true; }
  Status usable() const override {
    if (inputs_ == 0) {
      return Error{Code::kInvalid, "mlp: inputs is 0, must be the number of fields of a row",
                   "inputs"};
    }
    if (is_too_large()) {
      return Error{Code::kInvalid, "mlp: inputs * hidden is above 16,777,216", "hidden"};
    }
    return ok_status();
  }
  double bias() const override { return second_bias_.w[0]; }
  std::vector<float> parts(Row, std::span<const std::uint16_t>) const override { return {}; }
  std::size_t memory_bytes() const override {
    return (first_.w.size() + 2 * hidden_ + 1) * 4 * sizeof(float);
  }

  void predict(const Examples& rows, std::span<float> out) const override {
    Pass row = blank();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      read(rows, r, row);
      out[r] = probability(forward(row));
    }
  }

  void learn(const Examples& rows, std::span<float> before) override {
    for (std::size_t begin = 0; begin < rows.size(); begin += batch_) {
      learn_batch(rows, begin, std::min(rows.size(), begin + batch_), before);
    }
  }

  bool restore(ModelSource& source) override {
    for (double& power : adam_.powers) power = source.reader.f64();
    for (AdamWeights* layer : layers()) {
      for (auto* part : layer->state()) {
        for (float& number : *part) number = source.reader.f32();
      }
    }
    return source.reader.ok();
  }

 protected:
  void encode_state(ModelSink& sink) const override {
    Writer w(sink.out);
    for (const double power : adam_.powers) w.f64(power);
    for (const AdamWeights* layer : {&first_, &first_bias_, &second_, &second_bias_}) {
      for (const auto* part : layer->state()) {
        for (const float number : *part) w.f32(number);
      }
    }
  }

 private:
  struct Pass {
    std::vector<float> x;       // (inputs)
    std::vector<float> active;  // (hidden), after ReLU
    bool is_allowed = true;
  };
  bool is_too_large() const { return inputs_ * hidden_ > (std::size_t{1} << 24); }
  Pass blank() const { return {std::vector<float>(inputs_), std::vector<float>(hidden_), true}; }
  std::array<AdamWeights*, 4> layers() { return {&first_, &first_bias_, &second_, &second_bias_}; }

  static void start(Rng& rng, AdamWeights& layer, std::size_t fan_in) {
    const double width = fan_in == 0 ? 0 : 1 / std::sqrt(static_cast<double>(fan_in));
    for (float& w : layer.w) w = static_cast<float>((2 * rng.uniform() - 1) * width);
  }

  void read(const Examples& rows, std::size_t r, Pass& row) const {
    std::fill(row.x.begin(), row.x.end(), 0.0F);
    row.is_allowed = true;
    const Row features = rows.row(r);
    const auto fields = rows.fields_of(r);
    for (std::size_t i = 0; i < features.size(); ++i) {
      row.is_allowed &= std::abs(features[i].value) <= kMaxFeatureValue;
      if (fields[i] < inputs_) row.x[fields[i]] += features[i].value;
    }
    if (!row.is_allowed) std::fill(row.x.begin(), row.x.end(), 0.0F);
  }

  // first_ is (inputs, hidden): the loop over hidden units is the inner one.
  float forward(Pass& row) const {
    row.active = first_bias_.w;
    for (std::size_t i = 0; i < inputs_; ++i) {
      const float x = row.x[i];
      if (x == 0) continue;
      const float* const w = &first_.w[i * hidden_];
      for (std::size_t h = 0; h < hidden_; ++h) row.active[h] += x * w[h];
    }
    double logit = second_bias_.w[0];
    for (std::size_t h = 0; h < hidden_; ++h) {
      row.active[h] = std::max(row.active[h], 0.0F);
      logit += double{row.active[h]} * double{second_.w[h]};
    }
    return static_cast<float>(logit);
  }

  void backward(const Pass& row, float error) {
    second_bias_.gradient[0] += error;
    std::vector<float>& back = back_;
    back.resize(hidden_);
    for (std::size_t h = 0; h < hidden_; ++h) {
      second_.gradient[h] += error * row.active[h];
      back[h] = row.active[h] > 0 ? error * second_.w[h] : 0;
      first_bias_.gradient[h] += back[h];
    }
    for (std::size_t i = 0; i < inputs_; ++i) {
      const float x = row.x[i];
      if (x == 0) continue;
      float* const gradient = &first_.gradient[i * hidden_];
      for (std::size_t h = 0; h < hidden_; ++h) gradient[h] += x * back[h];
    }
  }

  void learn_batch(const Examples& rows, std::size_t begin, std::size_t end,
                   std::span<float> before) {
    std::size_t taught = 0;
    Pass& row = row_;
    if (row.x.size() != inputs_) row = blank();
    for (std::size_t r = begin; r < end; ++r) {
      read(rows, r, row);
      before[r] = probability(forward(row));
      const float label = rows.labels[r], weight = rows.weight(r);
      if (!row.is_allowed || !is_label(label, true) || !is_row_weight(weight)) continue;
      backward(row, (before[r] - label) * weight);
      ++taught;
    }
    if (taught == 0) return;
    adam_.begin();  // one step on the mean gradient
    for (AdamWeights* layer : layers()) adam_.step(*layer, 1 / static_cast<float>(taught));
  }

  std::size_t inputs_, hidden_, batch_;
  Adam adam_;
  AdamWeights first_, first_bias_, second_, second_bias_;
  std::vector<float> back_;
  Pass row_;
};

// Over vectors of ids alone: no weights of ids beside it.
std::unique_ptr<StoredModel> make_over_vectors(const ModelOptions& options,
                                               std::span<const double> v) {
  std::vector<double> values;
  for (const Setting& setting : kFieldSettings) values.push_back(setting.preset);
  values[1] = 0;     // learning_rate
  values[3] = 0.01;  // deviation
  values[6] = v[2];  // batch
  values[7] = v[1];  // dense_rate
  values[8] = 0;     // rates
  std::vector<std::size_t> hidden{static_cast<std::size_t>(v[0])};
  if (v[7] > 0) hidden.push_back(static_cast<std::size_t>(v[7]));
  const VectorShape shape = FieldModel::plain(static_cast<std::size_t>(v[6]));
  const bool is_usable = options.inputs <= FieldModel::kMostFields;
  const std::size_t fields = is_usable ? FieldModel::fields_of(options) : 3;
  auto model = std::make_unique<FieldModel>(
      options, values, shape, make_tower(fields * shape.chunks * 8, hidden, 0, options.seed));
  model->learn_in(v.back() == 0 ? Precision::kSingle : Precision::kBfloat16);
  return model;
}

std::unique_ptr<StoredModel> make_mlp(const ModelOptions& options, std::span<const double> values) {
  if (values[6] > 0) return make_over_vectors(options, values);
  return std::make_unique<Mlp>(options, values);
}

}  // namespace

const KindRow kMlpKind{{"mlp", "network of one hidden layer over the fields of a row", kSettings},
                       make_mlp};

}  // namespace attune
