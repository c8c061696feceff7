#include "model/item_item.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/bytes.h"
#include "base/prefetch_line.h"
#include "model/sealed.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "AITM";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMaxRecent = 30;
constexpr std::size_t kAhead = 2;  // lines, so that memory is there in time
constexpr double kFade = 0.6;      // of an item's weight with each one after it
constexpr double kLasting = 0.05;  // what stays of it, for people whose order says little

// kWeights[d] = d^-0.5, rounded once.
const std::array<float, kMaxRecent + 1> kWeights = [] {
  std::array<float, kMaxRecent + 1> weights{};
  for (std::size_t d = 1; d <= kMaxRecent; ++d) {
    weights[d] = static_cast<float>(1 / std::sqrt(static_cast<double>(d)));
  }
  return weights;
}();

// Where the item is; the size when it is not there.
std::size_t place_of(const std::vector<ItemKey>& items, ItemKey item) {
  static_assert(sizeof(ItemKey) == 8);
  const __m256i wanted = _mm256_set1_epi64x(static_cast<std::int64_t>(raw(item)));
  const auto equal = [&](std::size_t i) {
    return _mm256_cmpeq_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(&items[i])),
                              wanted);
  };
  std::size_t i = 0;
  for (; i + 16 <= items.size(); i += 16) {  // compared at once, with one branch
    const __m256i found = _mm256_or_si256(_mm256_or_si256(equal(i), equal(i + 4)),
                                          _mm256_or_si256(equal(i + 8), equal(i + 12)));
    if (_mm256_testz_si256(found, found) == 0) break;
  }
  while (i < items.size() && items[i] != item) ++i;
  return i;
}

template <class T>
void prefetch(const std::vector<T>& numbers) {
  for (std::size_t i = 0; i < numbers.size(); i += 64 / sizeof(T)) {
    prefetch_line(numbers.data() + i);
  }
}

}  // namespace

// As the allocator gives it, with the control block it shares.
std::size_t ItemItem::Line::memory_bytes() const {
  const auto piece = [](std::size_t bytes) { return bytes == 0 ? 0 : (bytes + 8 + 15) / 16 * 16; };
  return (sizeof(Line) + 16 + 8 + 15) / 16 * 16 + piece(items.capacity() * sizeof(ItemKey)) +
         piece(counts.capacity() * sizeof(float));
}

void ItemItem::Line::push(ItemKey item, float count) {
  items.push_back(item);
  counts.push_back(count);
}

// Of a full line the least count; of equal ones the largest key. Positive floats order as their
// bits do.
std::size_t ItemItem::Line::worst() const {
  static_assert(kMaxNeighbours == 64);
  const auto eight = [this](std::size_t i) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(&counts[8 * i]));
  };
  __m256i least = eight(0);
  for (std::size_t i = 1; i < 8; ++i) least = _mm256_min_epu32(least, eight(i));
  least = _mm256_min_epu32(least, _mm256_permute2x128_si256(least, least, 1));
  least = _mm256_min_epu32(least, _mm256_shuffle_epi32(least, 0x4e));
  least = _mm256_min_epu32(least, _mm256_shuffle_epi32(least, 0xb1));
  std::uint64_t equal = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const __m256 same = _mm256_castsi256_ps(_mm256_cmpeq_epi32(eight(i), least));
    equal |= static_cast<std::uint64_t>(_mm256_movemask_ps(same)) << (8 * i);
  }
  auto place = static_cast<std::size_t>(std::countr_zero(equal));
  for (equal &= equal - 1; equal != 0; equal &= equal - 1) {
    const auto other = static_cast<std::size_t>(std::countr_zero(equal));
    if (raw(items[other]) > raw(items[place])) place = other;
  }
  return place;
}

void ItemItem::Line::add(ItemKey item, float amount) {
  sum += amount;
  const std::size_t place = place_of(items, item);
  if (place < items.size()) {
    counts[place] += amount;
  } else if (items.size() < kMaxNeighbours) {
    push(item, amount);
  } else {
    const std::size_t out = worst();
    items[out] = item;
    counts[out] = amount;
  }
}

void ItemItem::learn(std::span<const ItemKey> recent, ItemKey item) {
  if (item == ItemKey{}) return;
  const std::size_t used = std::min(recent.size(), kMaxRecent);
  // The lines lie anywhere: where they are is asked for first, then what is in the next few.
  const auto line_at = [&](std::size_t d) -> const Line* {
    const CowPtr<Line>* const found = d > used ? nullptr : lines_.find(recent[recent.size() - d]);
    return found == nullptr ? nullptr : found->get();
  };
  const auto ask_for = [&](std::size_t d) {
    const Line* const line = line_at(d);
    if (line == nullptr) return;
    prefetch(line->items);
    prefetch(line->counts);
  };
  for (std::size_t d = 1; d <= used; ++d) prefetch_line(line_at(d));
  for (std::size_t d = 1; d <= kAhead; ++d) ask_for(d);
  for (std::size_t d = 1; d <= used; ++d) {
    ask_for(d + kAhead);
    const ItemKey before = recent[recent.size() - d];
    if (before == item || before == ItemKey{}) continue;
    CowPtr<Line>& place = lines_.change(before);
    bytes_ -= place.get() ? place->memory_bytes() : 0;
    Line& line = place.change();
    line.add(item, kWeights[d]);
    bytes_ += line.memory_bytes();
  }
}

std::vector<Neighbour> ItemItem::score(std::span<const ItemKey> recent, std::size_t limit) const {
  const std::size_t used = std::min(recent.size(), kMaxRecent);
  Sums<ItemKey, double> sums(used * kMaxNeighbours);
  double decay = 1;
  for (std::size_t k = 0; k < used; ++k, decay *= kFade) {
    const CowPtr<Line>* const found = lines_.find(recent[recent.size() - 1 - k]);
    if (found == nullptr) continue;
    const Line& line = **found;
    const double scale = (decay + kLasting) / std::pow(static_cast<double>(line.sum), 0.4);
    for (std::size_t i = 0; i < line.items.size(); ++i) {
      sums.add(line.items[i], scale * line.counts[i]);
    }
  }
  std::vector<Neighbour> all;
  all.reserve(sums.size());
  sums.each([&](ItemKey item, double sum) { all.push_back({item, static_cast<float>(sum)}); });
  return best_of(std::move(all), limit);
}

std::size_t ItemItem::bytes_beside(const ItemItem& other) const {
  std::size_t bytes = lines_.bytes_beside(other.lines_);
  lines_.each_difference(other.lines_,
                         [&](ItemKey, const CowPtr<Line>& mine, const CowPtr<Line>* theirs) {
                           if (theirs == nullptr || theirs->get() != mine.get())
                             bytes += mine->memory_bytes();
                         });
  return bytes;
}

void ItemItem::encode_part(std::uint64_t part, std::uint64_t parts, std::string& out) const {
  std::vector<ItemKey> keys;
  lines_.each([&](ItemKey key, const CowPtr<Line>&) {
    if (raw(key) % parts == part) keys.push_back(key);
  });
  std::sort(keys.begin(), keys.end(), [](ItemKey a, ItemKey b) { return raw(a) < raw(b); });
  std::string body;
  Writer w(body);
  w.varint(keys.size());
  std::vector<Neighbour> sorted;
  for (const ItemKey key : keys) {
    const Line& line = **lines_.find(key);
    sorted.clear();
    for (std::size_t i = 0; i < line.items.size(); ++i) {
      sorted.push_back({line.items[i], line.counts[i]});
    }
    std::sort(sorted.begin(), sorted.end(),
              [](const Neighbour& a, const Neighbour& b) { return raw(a.item) < raw(b.item); });
    w.u64(raw(key));
    w.f32(line.sum);
    w.varint(sorted.size());
    for (const Neighbour& one : sorted) {
      w.u64(raw(one.item));
      w.f32(one.count);
    }
  }
  seal(kMagic, kVersion, body, out);
}

Result<ItemItem> ItemItem::decode(std::string_view bytes) {
  ItemItem model;
  TRY_OK(model.add_part(bytes));
  return model;
}

Status ItemItem::add_part(std::string_view bytes) {
  const Error corrupt{Code::kCorrupt, "AITM: the item-item counts make no sense"};
  TRY(const std::string_view body, unseal(kMagic, kVersion, bytes));
  Reader r(body);
  const std::uint64_t lines = r.varint();
  const std::size_t wanted = lines_.size() + lines;
  for (std::uint64_t i = 0; i < lines && r.ok(); ++i) {
    const ItemKey key{r.u64()};
    if (!r.ok() || key == ItemKey{}) return corrupt;
    if (lines_.contains(key)) return corrupt;
    Line& line = lines_.change(key).change();
    line.sum = r.f32();
    const std::uint64_t size = r.varint();
    if (!r.ok() || !(line.sum > 0) || size > kMaxNeighbours) return corrupt;
    line.items.reserve(size);
    line.counts.reserve(size);
    for (std::uint64_t k = 0; k < size; ++k) {
      const ItemKey item{r.u64()};
      line.push(item, r.f32());
    }
    bytes_ += line.memory_bytes();
  }
  if (!r.ok() || !r.done() || lines_.size() != wanted) return corrupt;
  return ok_status();
}

}  // namespace attune
