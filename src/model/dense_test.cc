#include "model/dense.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cmath>
#include <cstddef>
#include <memory>

#include "base/rng.h"

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
  const double bound = 1e-6 * static_cast<double>(of.inner + 1);
  for (std::size_t row = 0; row < of.rows; ++row) {
    for (std::size_t column = 0; column < of.columns; ++column) {
      ASSERT_NEAR(c[row * of.columns + column], plain(of, a, b, row, column) + (of.adds ? 0.25 : 0),
                  bound)
          << of.rows << " x " << of.inner << " x " << of.columns;
    }
  }
}

// Every size about those that kernels work in (6 rows, 16 columns, 8 numbers at a time), each way
// round: the product is right, and nothing past the end of a matrix is touched.
TEST(Dense, MultipliesWithinItsMatrices) {
  Matrices in;
  for (const int turned : {0, 1, 2, 3}) {
    for (std::size_t rows = 1; rows <= 26; ++rows) {
      for (std::size_t columns = 1; columns <= 36; ++columns) {
        for (const std::size_t inner : {1, 2, 5, 9, 17, 259}) {
          check({.rows = rows,
                 .columns = columns,
                 .inner = inner,
                 .is_a_turned = (turned & 1) != 0,
                 .is_b_turned = (turned & 2) != 0,
                 .adds = (rows + columns) % 2 == 0},
                in);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

}  // namespace
}  // namespace attune
