#include "model/further_heads.h"

#include <array>
#include <cmath>

namespace attune {
namespace {

constexpr float kSmoothing = 10;  // rows of all that the rate of an id starts with

}  // namespace

FurtherHeads::FurtherHeads(std::size_t heads, std::size_t fields, std::size_t begin,
                           const Rates& rates)
    : fields_(fields), begin_(begin), rates_(rates), heads_(heads - 1) {
  rate_weights_.resize((heads - 1) * fields);
}

void FurtherHeads::add_logits(const FoundRows& found, std::span<const std::uint16_t> fields,
                              std::vector<float>& rates, FieldBatch& batch, std::size_t at) const {
  rates.resize(heads_.size() * found.count);
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    const float p = heads_[h].base_rate();
    const Float8 ones(kSmoothing * p), zeros(kSmoothing * (1 - p)), all = natural_log(ones / zeros);
    float* const own = rates.data() + h * found.count;
    Float8 linear;
    for (std::size_t i = 0; i < found.count; i += 8) {
      std::array<float*, 8> rows;
      for (std::size_t k = 0; k < 8; ++k) rows[k] = found.at[i + k] + begin_ + 4 * h;
      const auto [columns] = load_columns(rows.data());
      linear = multiply_add(columns[0], Float8::load(&found.x[i]), linear);
      const Float8 rate = natural_log((columns[3] + ones) / (columns[2] - columns[3] + zeros));
      (rate - all).store(own + i);
    }
    float logit = static_cast<float>(heads_[h].bias) + sum(linear);
    for (std::size_t i = 0; rates_.has_rates && i < fields.size(); ++i) {
      logit += rate_weights_.w[h * fields_ + fields[i]] * own[i];
    }
    batch.logits_of(h + 1)[at] += logit;
  }
}

void FurtherHeads::step(FoundRows& found, std::span<const std::uint16_t> fields,
                        std::span<const float> rates, const FieldBatch& batch, const Taught& of) {
  for (std::size_t h = 0; h < heads_.size(); ++h) {
    const float label = of.labels[(h + 1) * batch.rows + of.at];
    const float pushed = batch.errors_of(h + 1)[of.at];
    const bool is_known = !std::isnan(label);
    if (!is_known && pushed == 0) continue;
    const Step by{pushed / of.weight, of.weight, is_known ? of.weight : 0, is_known ? label : 0};
    for (std::size_t i = 0; rates_.has_rates && i < fields.size(); ++i) {
      rate_weights_.gradient[h * fields_ + fields[i]] += pushed * rates[h * found.count + i];
    }
    for (std::size_t i = 0; i < found.count; i += 8) {
      std::array<float*, 8> rows;
      for (std::size_t k = 0; k < 8; ++k) rows[k] = found.at[i + k] + begin_ + 4 * h;
      if (!has_twice(rows.data())) {
        step_eight(rows.data(), &found.x[i], by);
        continue;
      }
      for (std::size_t one = 0; one < 8; ++one) {  // one at a time, beside rows nobody reads
        std::array<std::array<float, 4>, 8> spare{};
        std::array<float*, 8> alone;
        for (std::size_t k = 0; k < 8; ++k) alone[k] = spare[k].data();
        alone[0] = rows[one];
        step_eight(alone.data(), std::array<float, 8>{found.x[i + one]}.data(), by);
      }
    }
    Head& head = heads_[h];
    head.bias_squares += double{by.weight * by.error * by.error};
    head.bias -= double{rates_.bias * pushed} / std::sqrt(1 + head.bias_squares);
    head.rows += double{by.counted};
    head.ones += double{by.counted * by.label};
  }
}

void FurtherHeads::step_eight(float* const* at, const float* values, const Step& by) const {
  auto [columns] = load_columns(at);
  const Float8 gradient = Float8(by.error) * Float8::load(values), weight(by.weight);
  columns[1] = multiply_add(weight * gradient, gradient, columns[1]);
  columns[0] = columns[0] -
               Float8(rates_.weight) * weight * gradient / square_root(Float8(1.0F) + columns[1]);
  store_columns({{columns[0], columns[1], columns[2], columns[3]}}, at);
  for (std::size_t k = 0; k < 8; ++k) {
    if (values[k] == 0) continue;
    at[k][2] += by.counted;
    at[k][3] += by.counted * by.label;
  }
}

std::vector<double*> FurtherHeads::numbers() {
  std::vector<double*> all;
  for (Head& head : heads_) {
    for (double* const number : {&head.bias, &head.bias_squares, &head.rows, &head.ones}) {
      all.push_back(number);
    }
  }
  return all;
}

}  // namespace attune
