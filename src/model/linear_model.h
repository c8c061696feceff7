// LinearModel<Rule>: a weight for each feature id and a bias; a rule says how they learn. The kinds
// that differ in nothing else are in ftrl_model.cc, gradient_models.cc and linear.cc.
//
// A rule has
//   kIsProbability: logistic loss, else squared loss
//   Rule(values of its settings, in order)
//   prepare(found): before the prediction; may change rows, and then found.first
//   begin(found, label): before the steps of a row
//   error(prediction, label): d loss / d logit, perhaps scaled
//   step<F>(Cell<F>&, gradient, weight): one weight, or eight; also runs in doubles (tests)
//   state(): numbers that must be saved with the weights
#pragma once
#include <array>

#include "model/feature_table.h"
#include "model/float8.h"
#include "model/sigmoid.h"
#include "model/teaching.h"

namespace attune {

// What is known of one weight: the row of the table is its own word, then these.
template <class F>
struct Cell {
  F weight{}, a{}, b{};
};

template <class Rule>
class LinearModel final : public StoredModel {
 public:
  LinearModel(const ModelOptions& options, std::span<const double> values)
      : StoredModel(options), rule_(values), table_(options, kWidth, RowOrder::kBySlot) {}
  bool is_probability() const override { return Rule::kIsProbability; }
  Status usable() const override { return table_.usable(); }
  double bias() const override { return bias_[1]; }
  TableCounts counts() const override { return table_.counts(); }
  std::size_t memory_bytes() const override { return table_.memory_bytes(); }
  std::size_t most_memory_bytes() const override { return table_.most_memory_bytes(); }

  void predict(const Examples& rows, std::span<float> out) const override {
    FoundRows found;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      table_.prefetch(rows.row_if_any(r + kAhead));
      (void)table_.find(rows.row(r), found);  // none is found of what is not allowed
      out[r] = prediction(with_bias(found));
    }
  }

  void learn(const Examples& rows, std::span<float> before) override {
    for (std::size_t r = 0; r < rows.size(); ++r) {
      before[r] =
          learn_row(rows.row(r), rows.labels[r], rows.weight(r), rows.row_if_any(r + kAhead));
    }
  }

  std::vector<float> parts(Row row, std::span<const std::uint16_t> /*fields*/) const override {
    std::vector<float> parts(row.size());
    FoundRows found;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!table_.find(row.subspan(i, 1), found)) return std::vector<float>(row.size());
      if (found.size == 1) parts[i] = found.at[0][1] * found.x[0];
    }
    return parts;
  }

  bool restore(ModelSource& source) override {
    for (double& number : rule_.state()) number = source.reader.f64();
    for (float& number : bias_) number = source.reader.f32();
    return table_.restore(source);
  }

 protected:
  void encode_state(ModelSink& sink) const override {
    Writer w(sink.out);
    Rule rule = rule_;
    for (const double number : rule.state()) w.f64(number);
    for (const float number : bias_) w.f32(number);
    table_.encode(sink);
  }

 private:
  static constexpr std::size_t kWidth = 4;
  static constexpr std::size_t kAhead = 2;  // rows, so that memory is there in time

  FoundRows& with_bias(FoundRows& found) const {
    found.add(const_cast<float*>(bias_.data()), 1);
    table_.pad(found);
    return found;
  }

  static float prediction(const FoundRows& found) {
    Float8 total;
    for (std::size_t i = 0; i < found.count; i += 8) {
      total = multiply_add(Float8::load(&found.first[i]), Float8::load(&found.x[i]), total);
    }
    const float logit = sum(total);
    if (Rule::kIsProbability) return probability(logit);
    return std::isfinite(logit) ? logit : 0;
  }

  // next: of a row to come, to be asked for.
  float learn_row(Row row, float label, float weight, Row next) {
    const bool teaches = is_label(label, Rule::kIsProbability) && is_row_weight(weight);
    const bool is_allowed = teaches ? table_.take(row, found_, next) : table_.find(row, found_);
    with_bias(found_);
    if (!teaches || !is_allowed) {
      table_.prefetch(next);
      return prediction(found_);
    }
    rule_.prepare(found_);
    const float before = prediction(found_);
    rule_.begin(found_, label);
    step(rule_.error(before, label), weight, next);
    return before;
  }

  void step(float error, float weight, Row next) {
    const Rule rule = rule_;  // what is stored cannot change it: its numbers stay in registers
    float* const* at = found_.at.data();
    const float* x = found_.x.data();
    for (std::size_t left = found_.count; left > 0; left -= 8, at += 8, x += 8) {
      table_.prefetch_few(next);
      step_eight(rule, at, x, {error, weight});
    }
    table_.prefetch(next);
  }

  struct Push {
    float error, weight;
  };
  [[gnu::always_inline]] static void step_eight(const Rule& rule, float* const* at, const float* x,
                                                const Push& push) {
    if (has_twice(at)) {
      for (std::size_t k = 0; k < 8; ++k) step_one(rule, at[k], push.error * x[k], push.weight);
      return;
    }
    auto [columns] = load_columns(at);
    Cell<Float8> cell{columns[1], columns[2], columns[3]};
    rule.step(cell, Float8(push.error) * Float8::load(x), Float8(push.weight));
    store_columns({{columns[0], cell.weight, cell.a, cell.b}}, at);
  }

  static void step_one(const Rule& rule, float* at, float gradient, float weight) {
    Cell<float> cell{at[1], at[2], at[3]};
    rule.step(cell, gradient, weight);
    at[1] = cell.weight;
    at[2] = cell.a;
    at[3] = cell.b;
  }

  Rule rule_;
  FeatureTable table_;
  alignas(16) std::array<float, kWidth> bias_{};
  FoundRows found_;
};

template <class Rule>
std::unique_ptr<StoredModel> make_linear(const ModelOptions& options,
                                         std::span<const double> values) {
  return std::make_unique<LinearModel<Rule>>(options, values);
}

}  // namespace attune
