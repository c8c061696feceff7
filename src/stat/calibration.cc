#include "stat/calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/bytes.h"

namespace attune {
namespace {

constexpr double kTilt = 0.05;  // of the way from a step to its neighbours
constexpr int kMostNewtonSteps = 100;
constexpr std::uint64_t kMostKnots = 1u << 20;

bool is_probability(double p) { return p >= 0 && p <= 1; }

Status check_rows(std::span<const std::uint8_t> labels, std::span<const double> probabilities) {
  CHECK(labels.size() == probabilities.size());
  if (!std::all_of(probabilities.begin(), probabilities.end(), is_probability)) {
    return Error{Code::kInvalid, "calibration: a prediction is no probability", "calibrate", ""};
  }
  const auto yes = std::count_if(labels.begin(), labels.end(), [](auto y) { return y != 0; });
  if (yes > 0 && static_cast<std::size_t>(yes) < labels.size()) return ok_status();
  return Error{Code::kInvalid, "calibration: the rows held back for it have one class", "calibrate",
               "use more rows, or --calibrate none"};
}

struct Block {
  double low = 0, high = 0;  // of the probabilities in it
  double rows = 0, yes = 0;
  double rate() const { return yes / rows; }
};

// A block for each different probability, rising; the base rate once more in the first and last.
std::vector<Block> blocks_of(std::span<const std::uint8_t> labels,
                             std::span<const double> probabilities) {
  std::vector<std::uint32_t> order(labels.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return probabilities[a] < probabilities[b]; });
  std::vector<Block> blocks;
  double all_yes = 0;
  for (const std::uint32_t row : order) {
    const double p = probabilities[row];
    if (blocks.empty() || p != blocks.back().low) blocks.push_back({p, p});
    const double yes = labels[row] != 0 ? 1 : 0;
    blocks.back().rows += 1;
    blocks.back().yes += yes;
    all_yes += yes;
  }
  for (Block* end : {&blocks.front(), &blocks.back()}) {
    end->yes += all_yes / static_cast<double>(labels.size());
    end->rows += 1;
  }
  return blocks;
}

std::vector<Block> pooled(const std::vector<Block>& blocks) {
  std::vector<Block> out;
  for (Block block : blocks) {
    while (!out.empty() && out.back().rate() >= block.rate()) {
      block.low = out.back().low;
      block.rows += out.back().rows;
      block.yes += out.back().yes;
      out.pop_back();
    }
    out.push_back(block);
  }
  return out;
}

}  // namespace

std::string_view calibration_kind_name(CalibrationKind kind) {
  if (kind == CalibrationKind::kIsotonic) return "isotonic";
  return kind == CalibrationKind::kPlatt ? "platt" : "none";
}

std::optional<CalibrationKind> calibration_kind(std::string_view name) {
  for (const auto kind :
       {CalibrationKind::kNone, CalibrationKind::kIsotonic, CalibrationKind::kPlatt}) {
    if (name == calibration_kind_name(kind)) return kind;
  }
  return std::nullopt;
}

double logit_of(double p) {
  const double q = std::clamp(p, 1e-7, 1 - 1e-7);
  return std::log(q) - std::log1p(-q);
}

double sigmoid_of(double logit) { return 1 / (1 + std::exp(-logit)); }

Result<CalibrationMap> CalibrationMap::isotonic(std::span<const std::uint8_t> labels,
                                                std::span<const double> probabilities) {
  TRY_OK(check_rows(labels, probabilities));
  const std::vector<Block> steps = pooled(blocks_of(labels, probabilities));
  CalibrationMap map;
  map.kind_ = CalibrationKind::kIsotonic;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Block& step = steps[i];
    const double rate = step.rate();
    const double below = i == 0 ? 0 : steps[i - 1].rate();
    const double above = i + 1 == steps.size() ? 1 : steps[i + 1].rate();
    if (step.low == step.high) {
      map.knots_.push_back({step.low, rate});
      continue;
    }
    map.knots_.push_back({step.low, rate - kTilt * (rate - below)});
    map.knots_.push_back({step.high, rate + kTilt * (above - rate)});
  }
  return map;
}

// Newton's method on the two parameters, its steps halved while they make it worse (Lin, Lin and
// Weng 2007).
Result<CalibrationMap> CalibrationMap::platt(std::span<const std::uint8_t> labels,
                                             std::span<const double> probabilities) {
  TRY_OK(check_rows(labels, probabilities));
  const double n = static_cast<double>(labels.size());
  const double yes = static_cast<double>(
      std::count_if(labels.begin(), labels.end(), [](auto y) { return y != 0; }));
  const double if_yes = (yes + 1) / (yes + 2), if_no = 1 / (n - yes + 2);
  std::vector<double> logits(labels.size());
  std::transform(probabilities.begin(), probabilities.end(), logits.begin(), logit_of);
  const auto loss = [&](double slope, double offset) {
    double sum = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double z = slope * logits[i] + offset, target = labels[i] != 0 ? if_yes : if_no;
      sum += std::max(z, 0.0) + std::log1p(std::exp(-std::fabs(z))) - target * z;
    }
    return sum;
  };
  CalibrationMap map;
  map.kind_ = CalibrationKind::kPlatt;
  double now = loss(1, 0);
  bool is_held = false;  // the slope, at its least
  for (int step = 0; step < kMostNewtonSteps; ++step) {
    double ga = 0, gb = 0, haa = 1e-9, hab = 0, hbb = 1e-9;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double q = sigmoid_of(map.slope_ * logits[i] + map.offset_);
      const double error = q - (labels[i] != 0 ? if_yes : if_no), spread = q * (1 - q);
      ga += error * logits[i];
      gb += error;
      haa += spread * logits[i] * logits[i];
      hab += spread * logits[i];
      hbb += spread;
    }
    const double det = haa * hbb - hab * hab;
    double da = is_held || det <= 0 ? 0 : (hbb * ga - hab * gb) / det;
    double db = is_held || det <= 0 ? gb / hbb : (haa * gb - hab * ga) / det;
    if (map.slope_ - da < kLeastSlope) {
      is_held = true;
      da = map.slope_ - kLeastSlope;
      db = 0;
      map.slope_ = kLeastSlope;
      now = loss(map.slope_, map.offset_);
      continue;
    }
    double next = loss(map.slope_ - da, map.offset_ - db);
    for (int halving = 0; next > now && halving < 30; ++halving) {
      da /= 2;
      db /= 2;
      next = loss(map.slope_ - da, map.offset_ - db);
    }
    if (!(next <= now)) break;
    map.slope_ -= da;
    map.offset_ -= db;
    now = next;
    if (std::fabs(da) + std::fabs(db) < 1e-10) break;
  }
  return map;
}

Result<CalibrationMap> CalibrationMap::fit(CalibrationKind kind,
                                           std::span<const std::uint8_t> labels,
                                           std::span<const double> probabilities) {
  if (kind == CalibrationKind::kIsotonic) return isotonic(labels, probabilities);
  if (kind == CalibrationKind::kPlatt) return platt(labels, probabilities);
  TRY_OK(check_rows(labels, probabilities));
  return CalibrationMap();
}

double CalibrationMap::apply(double p) const {
  if (!is_probability(p)) return p;
  if (kind_ == CalibrationKind::kPlatt) return sigmoid_of(slope_ * logit_of(p) + offset_);
  return kind_ == CalibrationKind::kIsotonic ? interpolate(p) : p;
}

// Beyond the knots a little on: towards 0 and 1, but not all the way.
double CalibrationMap::interpolate(double p) const {
  const auto above = std::upper_bound(knots_.begin(), knots_.end(), p,
                                      [](double value, const Knot& k) { return value < k.p; });
  const Knot& first = knots_.front();
  const Knot& last = knots_.back();
  const Knot low = above == knots_.begin() ? Knot{0, first.rate * (1 - kTilt)} : *(above - 1);
  const Knot high = above == knots_.end() ? Knot{1, last.rate + kTilt * (1 - last.rate)} : *above;
  if (!(high.p > low.p)) return low.rate;
  return low.rate + (high.rate - low.rate) * (p - low.p) / (high.p - low.p);
}

void CalibrationMap::encode(std::string& out) const {
  Writer w(out);
  w.u8(static_cast<std::uint8_t>(kind_));
  w.f64(slope_);
  w.f64(offset_);
  w.varint(knots_.size());
  for (const Knot& knot : knots_) {
    w.f64(knot.p);
    w.f64(knot.rate);
  }
}

Result<CalibrationMap> CalibrationMap::decode(std::string_view bytes) {
  Reader r(bytes);
  CalibrationMap map;
  const std::uint8_t kind = r.u8();
  map.slope_ = r.f64();
  map.offset_ = r.f64();
  const std::uint64_t knots = r.varint();
  bool is_sound = kind <= static_cast<std::uint8_t>(CalibrationKind::kPlatt) &&
                  map.slope_ >= kLeastSlope && std::isfinite(map.slope_) &&
                  std::isfinite(map.offset_) && knots <= kMostKnots;
  for (std::uint64_t i = 0; is_sound && i < knots && r.ok(); ++i) {
    const Knot knot{r.f64(), r.f64()};
    is_sound = is_probability(knot.p) && knot.rate > 0 && knot.rate < 1 &&
               (map.knots_.empty() ||
                (knot.p > map.knots_.back().p && knot.rate >= map.knots_.back().rate));
    map.knots_.push_back(knot);
  }
  map.kind_ = static_cast<CalibrationKind>(kind);
  const bool has_knots = !map.knots_.empty() == (map.kind_ == CalibrationKind::kIsotonic);
  if (is_sound && has_knots && r.ok() && r.done()) return map;
  return Error{Code::kCorrupt, "calibration: the map of a model makes no sense"};
}

}  // namespace attune
