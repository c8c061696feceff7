#include "base/hash_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/rng.h"

namespace attune {
namespace {

TEST(HashStream, AgreesWithTheHashOfTheWhole) {
  Rng rng(5);
  for (const std::size_t size : {0u, 1u, 17u, 240u, 241u, 5000u, 100'000u}) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(rng.below(256));
    HashStream stream;
    for (std::size_t at = 0; at < size;) {
      const std::size_t piece = std::min<std::size_t>(size - at, rng.below(3000));
      stream.add(std::string_view(bytes).substr(at, piece));
      at += piece;
    }
    EXPECT_EQ(stream.hash64(), hash64(bytes)) << size;
    EXPECT_EQ(stream.hash128(), hash128(bytes)) << size;
  }
}

}  // namespace
}  // namespace attune
