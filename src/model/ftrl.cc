#include "model/ftrl.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "model/sealed.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "AFTR";
constexpr std::uint32_t kVersion = 1;

double sigmoid(double x) { return 1 / (1 + std::exp(-std::clamp(x, -35.0, 35.0))); }

bool is_sane(const FtrlOptions& o) {
  const bool is_finite =
      std::isfinite(o.alpha) && std::isfinite(o.beta) && std::isfinite(o.l1) && std::isfinite(o.l2);
  return is_finite && o.alpha > 0 && o.beta >= 0 && o.l1 >= 0 && o.l2 >= 0 && o.bits >= 8 &&
         o.bits <= 26;
}

}  // namespace

Ftrl::Ftrl(const FtrlOptions& options) : options_(options) {
  CHECK(is_sane(options));
  const std::size_t size = std::size_t{1} << options.bits;
  mask_ = static_cast<std::uint32_t>(size - 1);
  z_.resize(size);
  n_.resize(size);
  weights_ = WeightTable(size);
}

float Ftrl::weight_of(float z, float n) const {
  if (z == 0 || std::abs(double{z}) <= options_.l1) return 0;
  const double rate = (options_.beta + std::sqrt(double{n})) / options_.alpha;
  return static_cast<float>((std::copysign(options_.l1, double{z}) - z) / (rate + options_.l2));
}

void Ftrl::set(std::size_t slot, float z, float n) {
  z_[slot] = z;
  n_[slot] = n;
  weights_.set(static_cast<std::uint32_t>(slot), weight_of(z, n));
}

double Ftrl::logit(Row row) const {
  double sum = 0;
  for (const Feature& f : row) sum += static_cast<double>(weight(f.hash)) * f.value;
  return std::isfinite(sum) ? sum : 0;  // weights are finite, so only a value can spoil the sum
}

double Ftrl::predict(Row row) const { return sigmoid(logit(row)); }

double Ftrl::learn(Row row, bool label) {
  const double p = predict(row);
  return learn_from(row, p - (label ? 1 : 0)) ? p : 0.5;
}

bool Ftrl::learn_from(Row row, double error) {
  for (const Feature& f : row) {
    if (!(std::abs(f.value) <= kMaxFeatureValue)) return false;
  }
  for (const Feature& f : row) {
    const std::size_t slot = f.hash & mask_;
    const double gradient = error * f.value;
    const double n = n_[slot];
    const double grown = n + gradient * gradient;
    const double sigma = (std::sqrt(grown) - std::sqrt(n)) / options_.alpha;
    const double moved = z_[slot] + gradient - sigma * weights_[f.hash];
    set(slot, static_cast<float>(moved), static_cast<float>(grown));
  }
  return true;
}

void Ftrl::encode(std::string& out) const {
  std::string body;
  Writer w(body);
  w.f64(options_.alpha);
  w.f64(options_.beta);
  w.f64(options_.l1);
  w.f64(options_.l2);
  w.u8(static_cast<std::uint8_t>(options_.bits));
  for (std::size_t i = 0, last = 0; i < z_.size(); ++i) {
    if (z_[i] == 0 && n_[i] == 0) continue;
    w.varint(i - last + 1);  // 0 ends the list
    w.f32(z_[i]);
    w.f32(n_[i]);
    last = i;
  }
  w.varint(0);
  seal(kMagic, kVersion, body, out);
}

Result<Ftrl> Ftrl::decode(std::string_view bytes) {
  const Error corrupt{Code::kCorrupt, "AFTR: the model's contents make no sense"};
  TRY(const std::string_view body, unseal(kMagic, kVersion, bytes));
  Reader r(body);
  FtrlOptions options;
  options.alpha = r.f64();
  options.beta = r.f64();
  options.l1 = r.f64();
  options.l2 = r.f64();
  options.bits = r.u8();
  if (!r.ok() || !is_sane(options)) return corrupt;
  Ftrl model(options);
  std::size_t slot = 0;
  for (std::uint64_t step = r.varint(); step != 0; step = r.varint()) {
    if (step > model.z_.size() - slot) return corrupt;
    slot += step - 1;
    const float z = r.f32(), n = r.f32();
    if (!std::isfinite(z) || !std::isfinite(n) || n < 0) return corrupt;
    model.set(slot, z, n);
  }
  if (!r.ok() || !r.done()) return corrupt;
  return model;
}

}  // namespace attune
