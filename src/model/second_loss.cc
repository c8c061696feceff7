#include "model/second_loss.h"

#include <fmt/format.h>

#include <cmath>

namespace attune {
namespace {

constexpr SecondLossKind kKinds[] = {
    {"pairs", "of two rows of a mini-batch the one with the label ranks above the one without"}};

// Rows of a head that teach, by label.
struct Sides {
  std::vector<std::size_t> ones, zeros;
  double zeros_weight = 0;
};

Sides sides_of(const HeadBatch& batch, std::size_t head) {
  Sides sides;
  for (std::size_t r = 0; r < batch.rows; ++r) {
    if (batch.weights[r] == 0) continue;
    if (batch.label(head, r) == 1) sides.ones.push_back(r);
    if (batch.label(head, r) != 0) continue;
    sides.zeros.push_back(r);
    sides.zeros_weight += double{batch.weights[r]};
  }
  return sides;
}

}  // namespace

SecondLoss::Value PairLoss::add(const HeadBatch& batch, float scale,
                                std::span<float> slopes) const {
  Value value;
  for (std::size_t head = 0; head < batch.heads; ++head) {
    const Sides sides = sides_of(batch, head);
    if (sides.zeros.empty()) continue;
    for (const std::size_t one : sides.ones) {
      for (const std::size_t zero : sides.zeros) {
        const double apart = double{batch.logit(head, zero)} - double{batch.logit(head, one)};
        const double weight =
            double{batch.weights[one]} * double{batch.weights[zero]} / sides.zeros_weight;
        value.sum += weight * (std::max(apart, 0.0) + std::log1p(std::exp(-std::fabs(apart))));
        const auto slope = static_cast<float>(double{scale} * weight / (1 + std::exp(-apart)));
        slopes[head * batch.rows + zero] += slope;
        slopes[head * batch.rows + one] -= slope;
      }
      value.rows += double{batch.weights[one]};
    }
  }
  return value;
}

std::span<const SecondLossKind> second_loss_kinds() { return kKinds; }

Result<std::unique_ptr<SecondLoss>> make_second_loss(const std::string& name) {
  if (name == kKinds[0].name) return std::unique_ptr<SecondLoss>(std::make_unique<PairLoss>());
  return Error{Code::kInvalid, fmt::format("there is no second loss called \"{}\"", name),
               "second_loss", fmt::format("there is {}", kKinds[0].name)};
}

}  // namespace attune
