#include <array>

#include "base/bytes.h"
#include "fuzz.h"
#include "learn/learner.h"
#include "learn/outcome_join.h"
#include "model/ftrl.h"
#include "model/item_factors.h"
#include "model/item_item.h"
#include "model/near_lists.h"
#include "model/persons_alike.h"
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
void both_ways_sealed(std::string_view magic, std::string_view body, std::uint32_t version = 1) {
  std::string bytes;
  seal(magic, version, body, bytes);
  both_ways<Saved>(bytes);
}

// A table of 2^26 weights is legal and takes 800 MB, more than a fuzz run has for two of them.
bool is_small_table(std::string_view body) {
  constexpr std::size_t kBitsAt = 4 * sizeof(double);  // after alpha, beta, l1, l2
  constexpr char kMostBits = 18;
  return body.size() <= kBitsAt || body[kBitsAt] <= kMostBits;
}

}  // namespace

// As it is written now: an older one is refused before anything else is read.
std::uint32_t learner_version() {
  std::string bytes;
  Learner(FtrlOptions{.bits = 8}, 0).encode(bytes);
  Reader after_magic(std::string_view(bytes).substr(4));
  return after_magic.u32();
}

// A learner as encode() writes it, of parts that each may be anything; what a part's own envelope
// protects is sealed anew. `body`: three parts, each after its length in two bytes, then numbers.
void whole_learner(std::string_view body) {
  std::array<std::string_view, 3> parts;
  for (std::string_view& part : parts) {
    if (body.size() < 2) return;
    const auto low = static_cast<unsigned char>(body[0]);
    const auto high = static_cast<unsigned char>(body[1]);
    part = body.substr(2, low + high * std::size_t{256});
    body.remove_prefix(2 + part.size());
  }
  if (!is_small_table(parts[0])) return;
  std::string model, packed, bytes;
  seal("AFTR", 1, parts[0], model);
  Writer w(packed);
  w.str(model);
  w.str(parts[1]);
  w.str(parts[2]);
  packed += body;
  seal("ALRN", learner_version(), packed, bytes);
  both_ways<Learner>(bytes);
}

// Whatever number of vectors it says it is of.
void near_lists(std::string_view body) {
  std::string bytes;
  seal("ANLS", 1, body, bytes);
  for (const std::size_t vectors : {std::size_t{1}, std::size_t{100}}) {
    const auto lists = NearLists::decode(bytes, vectors, 8);
    if (!lists.ok()) continue;
    const float x[8] = {1, -1};
    std::size_t seen = 0;
    for (const auto& [begin, end] : lists->near(x, vectors, vectors)) seen += end - begin;
    CHECK(seen == vectors);
  }
}

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
    case 'p':
      return both_ways_sealed<PersonsAlike>("APAL", rest);
    case 'v':
      return both_ways_sealed<ItemFactors>("AIFV", rest);
    case 'n':
      return near_lists(rest);
    case 'l':
      return both_ways_sealed<Learner>("ALRN", rest, learner_version());
    case 'w':
      return whole_learner(rest);
    case 'L':
      return both_ways<Learner>(rest);
    case 'o':
      return both_ways<OutcomeJoin>(rest);
    default:
      return both_ways<ProgressiveMetrics>(rest);
  }
}

}  // namespace attune
