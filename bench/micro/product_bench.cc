// The products a network makes while it learns, of floats (BLIS) and of bfloat16: checked against
// each other, then timed in turn, the fastest of 7. Then both passes over pairs of fields, as fwfm
// makes them. product_bench [ROUNDS OF EACH]
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "base/rng.h"
#include "model/bfloat16.h"
#include "model/field_pairs.h"

namespace attune {
namespace {

constexpr int kRepeats = 7;

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::vector<float> random_numbers(std::size_t count, Rng& rng) {
  std::vector<float> numbers(count);
  for (float& number : numbers) number = static_cast<float>(rng.normal());
  return numbers;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double apart = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    apart += std::pow(double{a[i]} - double{b[i]}, 2);
    size += double{b[i]} * double{b[i]};
  }
  return std::sqrt(apart / size);
}

// Whether the two agree.
bool measure(Product of, int rounds) {
  Rng rng(1);
  const std::vector<float> a = random_numbers(of.rows * of.inner, rng),
                           b = random_numbers(of.inner * of.columns, rng);
  std::vector<float> c[2] = {std::vector<float>(of.rows * of.columns),
                             std::vector<float>(of.rows * of.columns)};
  double fastest[2] = {1e9, 1e9};
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    for (const int kind : {0, 1}) {
      of.precision = kind == 0 ? Precision::kSingle : Precision::kBfloat16;
      const double begin = cpu_seconds();
      for (int i = 0; i < rounds; ++i) multiply(of, a.data(), b.data(), c[kind].data());
      fastest[kind] = std::min(fastest[kind], (cpu_seconds() - begin) / rounds);
    }
  }
  const double apart = distance(c[1], c[0]);
  const auto work = static_cast<double>(of.rows * of.columns * of.inner);
  fmt::print("| {} x {}{} by {} x {}{} | {:.1f} | {:.1f} | {:.0f} | {:.0f} | {:.4f} |\n",
             of.is_a_turned ? of.inner : of.rows, of.is_a_turned ? of.rows : of.inner,
             of.is_a_turned ? ", turned" : "", of.is_b_turned ? of.columns : of.inner,
             of.is_b_turned ? of.inner : of.columns, of.is_b_turned ? ", turned" : "",
             fastest[0] * 1e6, fastest[1] * 1e6, work / fastest[0] / 1e9, work / fastest[1] / 1e9,
             apart);
  return apart < 0.01;
}

// Of a layer: forward, gradient, slopes below.
bool measure_layer(std::size_t batch, std::size_t inputs, std::size_t outputs, int rounds) {
  return measure({.rows = batch, .columns = outputs, .inner = inputs}, rounds) &&
         measure({.rows = inputs, .columns = outputs, .inner = batch, .is_a_turned = true},
                 rounds) &&
         measure({.rows = batch, .columns = inputs, .inner = outputs, .is_b_turned = true}, rounds);
}

FieldBatch random_batch(std::size_t rows, std::size_t fields) {
  Rng rng(1);
  FieldBatch batch;
  batch.fields = fields;
  batch.chunks = 1;
  batch.begin(rows);
  batch.begin_slopes();
  const std::vector<float> numbers = random_numbers(batch.vectors.size() * 8, rng);
  for (std::size_t i = 0; i < batch.vectors.size(); ++i) {
    batch.vectors[i] = Float8::load(&numbers[8 * i]);
  }
  batch.errors = random_numbers(rows, rng);
  return batch;
}

// Of a row, in seconds.
struct Passes {
  double forward = 1e9, backward = 1e9;
};
Passes measure_pairs(Precision precision, int rounds) {
  constexpr std::size_t kFields = 39, kRows = 64;
  FieldBatch batch = random_batch(kRows, kFields);
  batch.precision = precision;
  FieldPairs pairs(kFields, kFields, 0.2F, 1);
  Passes fastest;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const double begin = cpu_seconds();
    for (int i = 0; i < rounds; ++i) pairs.forward(batch);
    const double middle = cpu_seconds();
    for (int i = 0; i < rounds; ++i) pairs.backward(batch);
    const double all = static_cast<double>(rounds) * kRows;
    fastest.forward = std::min(fastest.forward, (middle - begin) / all);
    fastest.backward = std::min(fastest.backward, (cpu_seconds() - middle) / all);
  }
  return fastest;
}

void print_pairs(int rounds) {
  const Passes floats = measure_pairs(Precision::kSingle, rounds),
               rounded = measure_pairs(Precision::kBfloat16, rounds);
  fmt::print("\n| pairs of 39 fields, a row | floats, ns | bfloat16, ns |\n|---|---:|---:|\n");
  fmt::print("| forward | {:.0f} | {:.0f} |\n", floats.forward * 1e9, rounded.forward * 1e9);
  fmt::print("| backward | {:.0f} | {:.0f} |\n", floats.backward * 1e9, rounded.backward * 1e9);
}

}  // namespace
}  // namespace attune

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 200;
  if (!attune::has_bfloat16()) fmt::print("This processor has no AVX512-BF16: both are floats.\n");
  fmt::print("| product | floats, us | bfloat16, us | floats, G/s | bfloat16, G/s | apart |\n");
  fmt::print("|---|---:|---:|---:|---:|---:|\n");
  bool agree = true;
  constexpr std::size_t kLayers[][2] = {{312, 128}, {128, 64}, {312, 16}, {16, 312}, {400, 400}};
  for (const auto& [inputs, outputs] : kLayers) {
    agree = attune::measure_layer(128, inputs, outputs, rounds) && agree;
  }
  attune::print_pairs(rounds);
  if (!agree) fmt::print(stderr, "product_bench: products are more than 1 % apart\n");
  return agree ? 0 : 1;
}
