#include "model/dense.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>
#include <vector>

#include "base/rng.h"
#include "model/bfloat16.h"

namespace attune {
namespace {

// Numbers that end where memory ends: who reads on ends the program.
class GuardedNumbers {
 public:
  GuardedNumbers()
      : bytes_(static_cast<char*>(::mmap(nullptr, kBytes + kGuard, PROT_NONE, kHow, -1, 0))) {
    EXPECT_EQ(::mprotect(bytes_, kBytes, PROT_READ | PROT_WRITE), 0);
  }
  ~GuardedNumbers() { ::munmap(bytes_, kBytes + kGuard); }
  GuardedNumbers(const GuardedNumbers&) = delete;
  GuardedNumbers& operator=(const GuardedNumbers&) = delete;

  float* of(std::size_t count) { return reinterpret_cast<float*>(bytes_ + kBytes) - count; }

 private:
  static constexpr std::size_t kBytes = std::size_t{1} << 18, kGuard = std::size_t{1} << 16;
  static constexpr int kHow = MAP_PRIVATE | MAP_ANONYMOUS;
  char* bytes_;
};

void fill(float* at, std::size_t count, Rng& rng) {
  for (std::size_t i = 0; i < count; ++i) at[i] = static_cast<float>(rng.uniform() - 0.5);
}

// The product as a book writes it.
double plain(const Product& of, const float* a, const float* b, std::size_t row,
             std::size_t column) {
  double sum = 0;
  for (std::size_t i = 0; i < of.inner; ++i) {
    const float left = of.is_a_turned ? a[i * of.rows + row] : a[row * of.inner + i];
    const float right = of.is_b_turned ? b[column * of.inner + i] : b[i * of.columns + column];
    sum += double{left} * double{right};
  }
  return sum;
}

// To the nearest float that has 8 bits after the point's, ties to even.
float rounded(float x) {
  auto bits = std::bit_cast<std::uint32_t>(x);
  bits += 0x7fff + (bits >> 16 & 1);
  return std::bit_cast<float>(bits & 0xffff0000);
}

struct Matrices {
  GuardedNumbers a, b, c;
  Rng rng{1};
};

void check(const Product& of, Matrices& in) {
  float* const a = in.a.of(of.rows * of.inner);
  float* const b = in.b.of(of.inner * of.columns);
  float* const c = in.c.of(of.rows * of.columns);
  fill(a, of.rows * of.inner, in.rng);
  fill(b, of.inner * of.columns, in.rng);
  std::fill(c, c + of.rows * of.columns, 0.25F);
  multiply(of, a, b, c);
  if (of.precision == Precision::kBfloat16) {
    std::transform(a, a + of.rows * of.inner, a, rounded);
    std::transform(b, b + of.inner * of.columns, b, rounded);
  }
  const double bound = 1e-6 * static_cast<double>(of.inner + 1);
  for (std::size_t row = 0; row < of.rows; ++row) {
    for (std::size_t column = 0; column < of.columns; ++column) {
      ASSERT_NEAR(c[row * of.columns + column], plain(of, a, b, row, column) + (of.adds ? 0.25 : 0),
                  bound)
          << of.rows << " x " << of.inner << " x " << of.columns;
    }
  }
}

void check_sizes(const std::vector<std::size_t>& rows, const std::vector<std::size_t>& columns,
                 const std::vector<std::size_t>& inner, Precision precision) {
  Matrices in;
  for (const int turned : {0, 1, 2, 3}) {
    for (const std::size_t r : rows) {
      for (const std::size_t c : columns) {
        for (const std::size_t i : inner) {
          check({.rows = r,
                 .columns = c,
                 .inner = i,
                 .is_a_turned = (turned & 1) != 0,
                 .is_b_turned = (turned & 2) != 0,
                 .adds = (r + c) % 2 == 0,
                 .precision = precision},
                in);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

std::vector<std::size_t> up_to(std::size_t last) {
  std::vector<std::size_t> all(last);
  std::iota(all.begin(), all.end(), 1);
  return all;
}

// Every size about those that kernels work in (6 rows, 16 columns, 8 numbers at a time), each way
// round: the product is right, and nothing past the end of a matrix is touched.
TEST(Dense, MultipliesWithinItsMatrices) {
  check_sizes(up_to(26), up_to(36), {1, 2, 5, 9, 17, 259}, Precision::kSingle);
}

// The same of the kernels for bfloat16: 1 to 24 rows, panels of 64 columns, 32 numbers at a time.
TEST(Dense, MultipliesBfloat16WithinItsMatrices) {
  if (!has_bfloat16()) GTEST_SKIP() << "this processor has no AVX512-BF16";
  check_sizes(up_to(34), {1, 2, 15, 16, 17, 31, 33, 48, 49, 63, 64, 65, 130},
              {1, 2, 5, 31, 32, 33, 70}, Precision::kBfloat16);
}

TEST(Dense, Bfloat16TakesWhatFloatsTake) {
  if (!has_bfloat16()) GTEST_SKIP() << "this processor has no AVX512-BF16";
  const float inf = INFINITY;
  const auto times = [](float a, float b) {
    float c = 0;
    multiply({.rows = 1, .columns = 1, .inner = 1, .precision = Precision::kBfloat16}, &a, &b, &c);
    return c;
  };
  EXPECT_EQ(times(3e38F, 2), inf);
  EXPECT_EQ(times(-inf, 2), -inf);
  EXPECT_TRUE(std::isnan(times(NAN, 2)));
  EXPECT_EQ(times(1e30F, 1e-30F), rounded(1e30F) * rounded(1e-30F));
}

}  // namespace
}  // namespace attune
