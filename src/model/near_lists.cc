#include "model/near_lists.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/bytes.h"
#include "base/rng.h"
#include "model/dense.h"
#include "model/factor_solver.h"
#include "model/sealed.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "ANLS";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kSampled = 64;  // vectors a list, that the middles are found by
constexpr int kRounds = 8;
constexpr std::size_t kBlock = 256;  // vectors compared with all middles at once

// The list of the nearest middle for each vector: least |v - m|^2, so greatest v.m - |m|^2 / 2.
std::vector<std::uint32_t> nearest(std::span<const float> vectors, std::size_t size,
                                   const std::vector<float>& middles) {
  const std::size_t count = vectors.size() / size, lists = middles.size() / size;
  std::vector<float> halves(lists), products(kBlock * lists);
  for (std::size_t list = 0; list < lists; ++list) {
    const std::span<const float> middle = std::span(middles).subspan(list * size, size);
    halves[list] = product(middle, middle.data()) / 2;
  }
  std::vector<std::uint32_t> out(count);
  for (std::size_t first = 0; first < count; first += kBlock) {
    const std::size_t rows = std::min(kBlock, count - first);
    multiply({.rows = rows, .columns = lists, .inner = size, .is_b_turned = true},
             &vectors[first * size], middles.data(), products.data());
    for (std::size_t row = 0; row < rows; ++row) {
      float* const at = &products[row * lists];
      for (std::size_t list = 0; list < lists; ++list) at[list] -= halves[list];
      out[first + row] = static_cast<std::uint32_t>(std::max_element(at, at + lists) - at);
    }
  }
  return out;
}

// So many of the vectors, by chance, each once.
std::vector<float> sample_of(std::span<const float> vectors, std::size_t size, std::size_t wanted,
                             Rng& rng) {
  std::vector<std::uint32_t> numbers(vectors.size() / size);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::vector<float> out;
  out.reserve(wanted * size);
  for (std::size_t i = 0; i < wanted; ++i) {
    std::swap(numbers[i], numbers[i + rng.below(numbers.size() - i)]);
    const std::span<const float> one = vectors.subspan(numbers[i] * size, size);
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

// Moves each middle to the mean of the vectors nearest to it; one that has none stays.
void move(std::span<const float> vectors, std::size_t size, std::vector<float>& middles) {
  const std::vector<std::uint32_t> list_of = nearest(vectors, size, middles);
  std::vector<double> sums(middles.size());
  std::vector<std::size_t> counts(middles.size() / size);
  for (std::size_t i = 0; i < list_of.size(); ++i) {
    ++counts[list_of[i]];
    for (std::size_t k = 0; k < size; ++k) {
      sums[list_of[i] * size + k] += double{vectors[i * size + k]};
    }
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t count = counts[i / size];
    if (count > 0) middles[i] = static_cast<float>(sums[i] / static_cast<double>(count));
  }
}

}  // namespace

NearLists::NearLists(std::span<const float> vectors, std::size_t size, std::uint64_t seed,
                     std::vector<std::uint32_t>& order)
    : size_(size) {
  CHECK(size > 0 && size % 8 == 0 && !vectors.empty() && vectors.size() % size == 0);
  const std::size_t count = vectors.size() / size;
  const auto lists = static_cast<std::size_t>(std::sqrt(static_cast<double>(count)));
  Rng rng(seed);
  const std::vector<float> sample =
      sample_of(vectors, size, std::min(count, lists * kSampled), rng);
  middles_.assign(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(lists * size));
  for (int round = 0; round < kRounds; ++round) move(sample, size, middles_);
  const std::vector<std::uint32_t> list_of = nearest(vectors, size, middles_);
  ends_.assign(lists, 0);
  for (const std::uint32_t list : list_of) ++ends_[list];
  std::partial_sum(ends_.begin(), ends_.end(), ends_.begin());
  order.resize(count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return list_of[a] < list_of[b]; });
  probed_ = lists;
}

std::vector<std::uint32_t> NearLists::nearest_first(const float* x) const {
  std::vector<float> products(lists());
  for (std::size_t list = 0; list < lists(); ++list) {
    products[list] = product(std::span(middles_).subspan(list * size_, size_), x);
  }
  std::vector<std::uint32_t> out(lists());
  std::iota(out.begin(), out.end(), 0);
  std::stable_sort(out.begin(), out.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return products[a] > products[b]; });
  return out;
}

void NearLists::probe(std::span<const float> vectors, std::span<const float> queries) {
  const std::size_t count = vectors.size() / size_;
  CHECK(count == ends_.back() && queries.size() % size_ == 0 && !queries.empty());
  const std::size_t most = std::min(kWanted, count);
  // By how many lists are looked at, less one: how many of the greatest the last one has.
  std::vector<std::uint64_t> found(lists());
  std::vector<std::pair<float, std::uint32_t>> scores(count);
  std::vector<std::size_t> rank(lists());
  for (std::size_t at = 0; at < queries.size(); at += size_) {
    const float* const x = &queries[at];
    for (std::uint32_t i = 0; i < count; ++i) {
      scores[i] = {-product(vectors.subspan(i * size_, size_), x), i};
    }
    std::nth_element(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(most - 1),
                     scores.end());
    const std::vector<std::uint32_t> order = nearest_first(x);
    for (std::size_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
    for (std::size_t i = 0; i < most; ++i) {
      const auto end = std::upper_bound(ends_.begin(), ends_.end(), scores[i].second);
      ++found[rank[static_cast<std::size_t>(end - ends_.begin())]];
    }
  }
  const auto all = static_cast<double>(queries.size() / size_ * most);
  double reached = 0;
  for (probed_ = 0; probed_ < lists() && reached < kRecall * all;) {
    reached += static_cast<double>(found[probed_++]);
  }
  recall_ = reached / all;
}

std::vector<NearLists::Range> NearLists::near(const float* x, std::size_t wanted,
                                              std::size_t least) const {
  const std::size_t most = std::max(
      probed_, (probed_ * std::min(wanted, std::size_t{ends_.back()}) + kWanted - 1) / kWanted);
  std::vector<Range> out;
  std::size_t vectors = 0, looked_at = 0;
  for (const std::uint32_t list : nearest_first(x)) {
    if (looked_at++ >= most && vectors >= least) break;
    const Range one = range(list);
    vectors += one.end - one.begin;
    if (one.end > one.begin) out.push_back(one);
  }
  return out;
}

void NearLists::encode(std::string& out) const {
  std::string body;
  Writer w(body);
  w.varint(lists());
  w.varint(probed_);
  w.f64(recall_);
  for (const std::uint32_t end : ends_) w.u32(end);
  for (const float number : middles_) w.f32(number);
  seal(kMagic, kVersion, body, out);
}

Result<NearLists> NearLists::decode(std::string_view bytes, std::size_t vectors, std::size_t size) {
  const Error corrupt{Code::kCorrupt, "ANLS: the lists of near items make no sense"};
  TRY(const std::string_view body, unseal(kMagic, kVersion, bytes));
  Reader r(body);
  NearLists out;
  out.size_ = size;
  const std::uint64_t lists = r.varint();
  out.probed_ = r.varint();
  out.recall_ = r.f64();
  const bool is_shape = r.ok() && out.recall_ >= 0 && out.recall_ <= 1 && lists > 0 &&
                        lists <= r.left() && out.probed_ > 0 && out.probed_ <= lists &&
                        r.left() == lists * (4 + 4 * size);
  if (!is_shape) return corrupt;
  for (std::uint64_t i = 0; i < lists; ++i) {
    out.ends_.push_back(r.u32());
    if (i > 0 && out.ends_[i] < out.ends_[i - 1]) return corrupt;
  }
  if (out.ends_.back() != vectors) return corrupt;
  for (std::uint64_t i = 0; i < lists * size; ++i) {
    out.middles_.push_back(r.f32());
    if (!std::isfinite(out.middles_.back())) return corrupt;
  }
  return out;
}

}  // namespace attune
