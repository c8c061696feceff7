#include "format/marks.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"

namespace attune {
namespace {

std::vector<std::size_t> plain(std::string_view line) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == ' ' || line[i] == '\t' || line[i] == '|' || line[i] == ':') places.push_back(i);
  }
  places.push_back(line.size());
  return places;
}

TEST(Marks, AgreeWithThePlainTwin) {
  Rng rng(3);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string line(size, '\0');
    for (char& c : line) {
      c = rng.chance(0.3) ? " \t|:"[rng.below(4)] : static_cast<char>(rng.below(256));
    }
    const std::string with_slack = line + std::string(64, '|');
    Marks marks(std::string_view(with_slack).substr(0, size));
    for (const std::size_t place : plain(line)) ASSERT_EQ(marks.next(), place) << size;
  }
}

}  // namespace
}  // namespace attune
