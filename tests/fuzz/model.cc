#include "fuzz.h"
#include "learn/learner.h"
#include "learn/outcome_join.h"
#include "model/ftrl.h"
#include "model/item_item.h"
#include "model/sealed.h"
#include "stat/metrics.h"

namespace attune {
namespace {

template <class Saved>
void both_ways(std::string_view bytes) {
  const auto saved = Saved::decode(bytes);
  if (!saved.ok()) return;
  std::string once;
  saved->encode(once);
  CHECK(Saved::decode(once).ok());
}

// The checksum is made to fit: what it protects must be safe to read all the same.
template <class Saved>
void both_ways_sealed(std::string_view magic, std::string_view body) {
  std::string bytes;
  seal(magic, 1, body, bytes);
  both_ways<Saved>(bytes);
}

// A table of 2^26 weights is legal and takes 800 MB, more than a fuzz run has for two of them.
bool is_small_table(std::string_view body) {
  constexpr std::size_t kBitsAt = 4 * sizeof(double);  // after alpha, beta, l1, l2
  constexpr char kMostBits = 18;
  return body.size() <= kBitsAt || body[kBitsAt] <= kMostBits;
}

}  // namespace

// The first byte chooses what is read; upper case: as it lies on disk.
void fuzz_one(std::string_view input) {
  if (input.empty()) return;
  const std::string_view rest = input.substr(1);
  switch (input[0]) {
    case 'f':
      if (!is_small_table(rest)) return;
      return both_ways_sealed<Ftrl>("AFTR", rest);
    case 'F':
      return both_ways<Ftrl>(rest);
    case 'i':
      return both_ways_sealed<ItemItem>("AITM", rest);
    case 'I':
      return both_ways<ItemItem>(rest);
    case 'l':
      return both_ways_sealed<Learner>("ALRN", rest);
    case 'L':
      return both_ways<Learner>(rest);
    case 'o':
      return both_ways<OutcomeJoin>(rest);
    default:
      return both_ways<ProgressiveMetrics>(rest);
  }
}

}  // namespace attune
