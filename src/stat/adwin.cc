#include "stat/adwin.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"

namespace attune {
namespace {

constexpr std::uint64_t kMostLevels = 64;
constexpr double kUnsure = 20;  // a spread known by so many batches counts twice

}  // namespace

void Adwin::Bucket::add(const Bucket& other) {
  batches += other.batches;
  n += other.n;
  sum += other.sum;
  squares += other.squares;
  between += other.between;
}

void Adwin::Bucket::subtract(const Bucket& other) {
  batches -= other.batches;
  n -= other.n;
  sum -= other.sum;
  squares -= other.squares;
  between -= other.between;
}

// A level that is full gives its two oldest buckets, as one, to the next.
void Adwin::insert(const Bucket& batch) {
  all_.add(batch);
  Bucket bucket = batch;
  for (std::size_t level = 0;; ++level) {
    if (level == levels_.size()) levels_.emplace_back();
    std::vector<Bucket>& buckets = levels_[level];
    buckets.push_back(bucket);
    if (buckets.size() <= kPerLevel) return;
    bucket = buckets[0];
    bucket.add(buckets[1]);
    buckets.erase(buckets.begin(), buckets.begin() + 2);
  }
}

bool Adwin::is_changed(const Bucket& older, const Bucket& newer) const {
  const double inverse = 1 / older.n + 1 / newer.n;  // 1 / m of the paper
  const double confidence = std::log(2 * std::log(std::max(all_.n, 3.0)) / options_.delta);
  const double mean = all_.sum / all_.n;
  const double of_values = std::max(0.0, all_.squares / all_.n - mean * mean);
  const double of_batches = (older.spread() + newer.spread()) / std::max(1.0, all_.batches - 2) *
                            (1 + kUnsure / all_.batches);
  const double variance = std::max(of_values, of_batches);
  const double bound = std::sqrt(2 * inverse * variance * confidence) +
                       2.0 / 3 * inverse * options_.range * confidence;
  return std::fabs(older.sum / older.n - newer.sum / newer.n) > bound;
}

// At the newest cut that shows a change: all before it is dropped.
std::optional<Adwin::Change> Adwin::cut() {
  if (all_.batches < kLeastBatches) return std::nullopt;
  Bucket newer;
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    std::vector<Bucket>& buckets = levels_[level];
    for (std::size_t i = buckets.size(); i > 0; --i) {
      newer.add(buckets[i - 1]);
      Bucket older = all_;
      older.subtract(newer);
      if (older.batches < 0.5) return std::nullopt;
      if (!is_changed(older, newer)) continue;
      buckets.erase(buckets.begin(), buckets.begin() + static_cast<std::ptrdiff_t>(i - 1));
      levels_.resize(level + 1);
      all_ = newer;
      return Change{older.sum / older.n, newer.sum / newer.n, older.n, newer.n};
    }
  }
  return std::nullopt;
}

std::optional<Adwin::Change> Adwin::add(double n, double sum, double squares) {
  if (!(n > 0) || !std::isfinite(n) || !std::isfinite(sum) || !std::isfinite(squares)) {
    return std::nullopt;
  }
  insert({1, n, sum, squares, sum * sum / n});
  return cut();
}

void Adwin::encode(std::string& out) const {
  Writer w(out);
  const auto write = [&w](const Bucket& b) {
    for (const double number : {b.batches, b.n, b.sum, b.squares, b.between}) w.f64(number);
  };
  write(all_);
  w.varint(levels_.size());
  for (const auto& buckets : levels_) {
    w.varint(buckets.size());
    for (const Bucket& bucket : buckets) write(bucket);
  }
}

Result<Adwin> Adwin::decode(std::string_view bytes, const AdwinOptions& options) {
  Reader r(bytes);
  bool is_sound = true;
  const auto read = [&] {
    Bucket b;
    for (double* number : {&b.batches, &b.n, &b.sum, &b.squares, &b.between}) {
      *number = r.f64();
      is_sound &= std::isfinite(*number);
    }
    is_sound &= b.n >= 0 && b.batches >= 0;
    return b;
  };
  Adwin adwin(options);
  adwin.all_ = read();
  const std::uint64_t levels = r.varint();
  is_sound &= levels <= kMostLevels;
  for (std::uint64_t level = 0; is_sound && level < levels; ++level) {
    const std::uint64_t buckets = r.varint();
    is_sound &= buckets <= kPerLevel;
    adwin.levels_.emplace_back();
    for (std::uint64_t i = 0; is_sound && i < buckets; ++i) {
      adwin.levels_.back().push_back(read());
      is_sound &= adwin.levels_.back().back().n > 0;
    }
  }
  if (is_sound && r.ok() && r.done()) return adwin;
  return Error{Code::kCorrupt, "drift: the stored window makes no sense"};
}

}  // namespace attune
