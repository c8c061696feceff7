// A network of one hidden layer over the fields of a row: inputs -> hidden -> ReLU -> 1, binary
// cross-entropy on the logit, Adam (Kingma and Ba 2015) on mini-batches. The input of a field is
// the sum of its values in the row; fields beyond `inputs` are left out. Starts uniform in
// +-1/sqrt(fan in). Rows are taken in order, `batch` at a time within one call of learn().
#include <array>

#include "base/rng.h"
#include "model/sigmoid.h"
#include "model/stored_model.h"
#include "model/teaching.h"

namespace attune {
namespace {

constexpr Setting kSettings[] = {
    {"hidden", 128, 1, 4096, "units of the hidden layer"},
    {"learning_rate", 0.001, 1e-9, 10, "size of a step"},
    {"batch", 64, 1, 65536, "rows of a step"},
    {"beta1", 0.9, 0, 0.9999, "memory of the gradient"},
    {"beta2", 0.999, 0, 0.999999, "memory of its square"},
    {"l2", 0, 0, 10, "draws weights to 0"},
};

// Numbers that learn together: w is (n), so are its gradient and the means of Adam.
struct Layer {
  std::vector<float> w, gradient, mean, square;
  void resize(std::size_t n) {
    for (auto* part : {&w, &gradient, &mean, &square}) part->assign(n, 0.0F);
  }
};

class Mlp final : public StoredModel {
 public:
  Mlp(const ModelOptions& options, std::span<const double> v)
      : StoredModel(options),
        inputs_(options.inputs),
        hidden_(static_cast<std::size_t>(v[0])),
        batch_(static_cast<std::size_t>(v[2])),
        rate_(v[1]),
        beta1_(v[3]),
        beta2_(v[4]),
        l2_(static_cast<float>(v[5])) {
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
    for (double& power : powers_) power = source.reader.f64();
    for (Layer* layer : layers()) {
      for (auto* part : {&layer->w, &layer->mean, &layer->square}) {
        for (float& number : *part) number = source.reader.f32();
      }
    }
    return source.reader.ok();
  }

 protected:
  void encode_state(ModelSink& sink) const override {
    Writer w(sink.out);
    for (const double power : powers_) w.f64(power);
    for (const Layer* layer : {&first_, &first_bias_, &second_, &second_bias_}) {
      for (const auto* part : {&layer->w, &layer->mean, &layer->square}) {
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
  std::array<Layer*, 4> layers() { return {&first_, &first_bias_, &second_, &second_bias_}; }

  static void start(Rng& rng, Layer& layer, std::size_t fan_in) {
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
    if (taught > 0) step(1 / static_cast<float>(taught));
  }

  // One step on the mean gradient, which is then forgotten.
  void step(float scale) {
    powers_[0] *= beta1_;
    powers_[1] *= beta2_;
    const double corrected = rate_ * std::sqrt(1 - powers_[1]) / (1 - powers_[0]);
    const auto rate = static_cast<float>(corrected);
    const auto epsilon = static_cast<float>(1e-8 * std::sqrt(1 - powers_[1]));
    const auto b1 = static_cast<float>(beta1_), b2 = static_cast<float>(beta2_);
    for (Layer* layer : layers()) {
      for (std::size_t i = 0; i < layer->w.size(); ++i) {
        const float g = layer->gradient[i] * scale + l2_ * layer->w[i];
        layer->mean[i] = b1 * layer->mean[i] + (1 - b1) * g;
        layer->square[i] = b2 * layer->square[i] + (1 - b2) * g * g;
        layer->w[i] -= rate * layer->mean[i] / (std::sqrt(layer->square[i]) + epsilon);
        layer->gradient[i] = 0;
      }
    }
  }

  std::size_t inputs_, hidden_, batch_;
  double rate_, beta1_, beta2_;
  float l2_;
  Layer first_, first_bias_, second_, second_bias_;
  std::array<double, 2> powers_{1, 1};  // beta1^t, beta2^t
  std::vector<float> back_;
  Pass row_;
};

std::unique_ptr<StoredModel> make_mlp(const ModelOptions& options, std::span<const double> values) {
  return std::make_unique<Mlp>(options, values);
}

}  // namespace

const KindRow kMlpKind{{"mlp", "network of one hidden layer over the fields of a row", kSettings},
                       make_mlp};

}  // namespace attune
