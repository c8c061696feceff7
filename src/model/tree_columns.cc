#include "model/tree_columns.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

namespace attune {
namespace {

constexpr std::uint32_t kLeastRows = 5;  // of a feature with a column of its own
constexpr std::size_t kLeastRated = 3;   // features of a field that has a column of rates
constexpr std::size_t kBatchRows = 1024;
constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

bool is_allowed(Row row) {
  return std::all_of(row.begin(), row.end(), [](const Feature& f) {
    return std::abs(f.value) <= kMaxFeatureValue;  // false for NaN
  });
}

// What the sample says of a feature.
struct Seen {
  std::uint16_t field = 0;
  std::uint32_t rows = 0;
  bool is_always_1 = true;
};

}  // namespace

void TreeColumns::choose(const Examples& sample) {
  std::unordered_map<std::uint32_t, Seen> seen;
  for (std::size_t i = 0; i < sample.features.size(); ++i) {
    const Feature& feature = sample.features[i];
    Seen& one = seen[feature.hash];
    if (one.rows++ == 0) one.field = sample.fields[i];
    one.is_always_1 &= feature.value == 1;
  }
  std::map<std::uint16_t, std::size_t> ids;
  for (const auto& [hash, one] : seen) ++ids[one.field];
  const std::size_t few = few_of(ids);
  std::vector<std::tuple<std::uint32_t, std::uint32_t>> kept;  // rows, hash
  for (const auto& [hash, one] : seen) {
    const bool is_one_of_few = ids[one.field] <= few;
    if (one.rows >= kLeastRows && (is_one_of_few || !one.is_always_1)) {
      kept.emplace_back(one.rows, hash);
    }
  }
  std::sort(kept.begin(), kept.end(), std::greater<>());
  kept.resize(std::min(kept.size(), kMostOwn));
  std::vector<Own> own;
  for (const auto& [rows, hash] : kept) {
    own.push_back({hash, seen[hash].field, seen[hash].is_always_1});
  }
  std::sort(own.begin(), own.end(), [](const Own& a, const Own& b) {
    const int kind_a = a.is_always_1 ? 0 : 1, kind_b = b.is_always_1 ? 0 : 1;
    return std::tie(kind_a, a.field, a.hash) < std::tie(kind_b, b.field, b.hash);
  });
  set_own(std::move(own));
  std::vector<std::uint16_t> many;
  for (const auto& [field, n] : ids) {
    if (n > few && many.size() < kMostShared) many.push_back(field);
  }
  set_shared(many);
}

// The largest number of ids of a field whose features have columns of their own.
std::size_t TreeColumns::few_of(const std::map<std::uint16_t, std::size_t>& ids) const {
  std::vector<std::size_t> sizes;
  for (const auto& [field, n] : ids) {
    if (n > 1 && n <= options_.few) sizes.push_back(n);
  }
  std::sort(sizes.begin(), sizes.end());
  std::size_t few = std::min<std::size_t>(options_.few, 1), total = 0;
  for (const std::size_t n : sizes) {
    total += n;
    if (total > kMostMarks) return few;
    few = n;
  }
  return options_.few;
}

std::size_t TreeColumns::half() const {
  const auto marks =
      std::count_if(own_.begin(), own_.end(), [](const Own& own) { return own.is_always_1; });
  return shared() + static_cast<std::size_t>(marks);
}

void TreeColumns::set_own(std::vector<Own> own) {
  own_ = std::move(own);
  own_places_.clear();
  for (std::uint32_t i = 0; i < own_.size(); ++i) own_places_.emplace(own_[i].hash, i);
}

void TreeColumns::set_shared(const std::vector<std::uint16_t>& fields) {
  shared_places_.clear();
  shared_fields_ = fields.size();
  for (std::uint32_t i = 0; i < fields.size(); ++i) {
    shared_places_.resize(std::max<std::size_t>(shared_places_.size(), fields[i] + std::size_t{1}),
                          kNone);
    shared_places_[fields[i]] = i;
  }
}

std::size_t TreeColumns::memory_bytes() const {
  return ids_.memory_bytes() + own_.size() * 64 + shared_places_.size() * 4;
}

double TreeColumns::mean() const {
  return options_.is_value ? (rows_ > 0 ? labels_ / rows_ : 0) : (labels_ + 1) / (rows_ + 2);
}

double TreeColumns::deviation() const {
  if (rows_ <= 0) return 1;
  const double variance = squares_ / rows_ - mean() * mean();
  return variance > 0 ? std::sqrt(variance) : 1;
}

// How the labels of an id differ from those of all: in logits, or in deviations.
class TreeColumns::Rates {
 public:
  explicit Rates(const TreeColumns& columns)
      : prior_(columns.options_.prior),
        is_value_(columns.options_.is_value),
        all_(columns.mean()),
        scaled_(is_value_ ? columns.deviation() : logit(all_)) {}
  float of(const IdSums::Sums& id) const {
    const double own = (double{id.labels} + prior_ * all_) / (double{id.rows} + prior_);
    return static_cast<float>(is_value_ ? (own - all_) / scaled_ : logit(own) - scaled_);
  }

 private:
  static double logit(double p) { return std::log(p / (1 - p)); }
  double prior_;
  bool is_value_;
  double all_, scaled_;  // the mean of all labels; its logit, or their deviation
};

// Those with a column of rates, the features of each side by side; factors to be set.
std::vector<WeightedSum> TreeColumns::fields_of_few() const {
  std::vector<WeightedSum> out;
  for (std::size_t begin = 0, end = 0; begin < own_.size(); begin = end) {
    while (end < own_.size() && own_[end].field == own_[begin].field &&
           own_[end].is_always_1 == own_[begin].is_always_1) {
      ++end;
    }
    if (own_[begin].is_always_1 && end - begin >= kLeastRated) {
      out.push_back({shared() + begin, std::vector<float>(end - begin)});
    }
  }
  return out;
}

void TreeColumns::rate(GatheredRows& rows) {
  std::vector<WeightedSum> fields = fields_of_few();
  std::vector<IdSums::Sums> sums(shared() + own());
  std::vector<std::uint32_t> batch;
  std::vector<float> values(kBatchRows * rows.columns());
  for (std::uint32_t begin = 0; begin < rows.size(); begin += kBatchRows) {
    batch.resize(std::min(kBatchRows, rows.size() - begin));
    std::iota(batch.begin(), batch.end(), begin);
    rows.copy(batch, values);
    for (std::size_t r = 0; r < batch.size(); ++r) {
      const float label = rows.labels()[batch[r]], weight = rows.weights()[batch[r]];
      for (const WeightedSum& field : fields) {
        for (std::size_t i = field.begin; i < field.begin + field.factors.size(); ++i) {
          if (values[r * rows.columns() + i] == 0) continue;
          sums[i].rows += weight;
          sums[i].labels += weight * label;
        }
      }
    }
  }
  const Rates rates(*this);
  for (WeightedSum& field : fields) {
    for (std::size_t i = 0; i < field.factors.size(); ++i) {
      field.factors[i] = rates.of(sums[field.begin + i]);
    }
  }
  rated_ = fields;
  rows.set_sums(std::move(fields));
}

void TreeColumns::encode(Row row, std::span<const std::uint16_t> fields,
                         std::span<float> out) const {
  std::fill(out.begin(), out.end(), 0.0F);
  const std::span<float> own = out.subspan(shared());
  for (std::size_t i = 0; i < own_.size(); ++i) own[i] = own_[i].is_always_1 ? 0 : kUnknown;
  if (!is_allowed(row)) return;
  const Rates rates(*this);
  std::vector<float> ids(shared_fields_);  // of the row, in each: the mean of them is taken
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (const auto at = own_places_.find(row[i].hash); at != own_places_.end()) {
      float& value = own[at->second];
      value = std::isnan(value) ? row[i].value : value + row[i].value;
    }
    const std::uint32_t field = shared_of(fields[i]);
    if (field == kNone) continue;
    const IdSums::Sums id = ids_.find(row[i].hash);
    out[2 * field] += rates.of(id);
    out[2 * field + 1] += std::log1p(id.rows);
    ids[field] += 1;
  }
  for (std::size_t field = 0; field < shared_fields_; ++field) {
    float& rate = out[2 * field];
    float& count = out[2 * field + 1];
    if (ids[field] == 0) {
      count = -1;  // the row has nothing of this field
      continue;
    }
    rate = rounded_to_half(rate / ids[field]);
    count = rounded_to_half(count / ids[field]);
  }
  for (std::size_t i = 0; i < rated_.size(); ++i) own[own_.size() + i] = rated_[i].of(out);
}

void TreeColumns::learn(Row row, std::span<const std::uint16_t> fields, float label, float weight) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (shared_of(fields[i]) != kNone) ids_.add(row[i].hash, {weight, weight * label});
  }
  const double w = double{weight}, y = double{label};
  rows_ += w;
  labels_ += w * y;
  squares_ += w * y * y;
}

double TreeColumns::attribute(Row row, std::span<const std::uint16_t> fields,
                              std::span<const double> columns, std::span<double> out) const {
  std::fill(out.begin(), out.end(), 0.0);
  std::map<std::uint16_t, double> of_fields;  // what is to be shared out inside each
  for (std::size_t i = 0; i < own_.size(); ++i) of_fields[own_[i].field] += columns[shared() + i];
  for (std::size_t field = 0; field < shared_places_.size(); ++field) {
    if (shared_places_[field] == kNone) continue;
    const std::size_t at = 2 * std::size_t{shared_places_[field]};
    of_fields[static_cast<std::uint16_t>(field)] += columns[at] + columns[at + 1];
  }
  for (std::size_t i = 0; i < rated_.size(); ++i) {
    of_fields[own_[rated_[i].begin - shared()].field] += columns[shared() + own() + i];
  }
  if (is_allowed(row)) {
    std::map<std::uint32_t, std::size_t> first;  // of a feature that comes twice
    std::map<std::uint16_t, double> sizes;
    for (std::size_t i = 0; i < row.size(); ++i) {
      sizes[fields[i]] += 1;
      const auto at = own_places_.find(row[i].hash);
      if (at == own_places_.end() || !first.emplace(row[i].hash, i).second) continue;
      out[i] += columns[shared() + at->second];
      of_fields[own_[at->second].field] -= columns[shared() + at->second];
    }
    for (std::size_t i = 0; i < row.size(); ++i) out[i] += of_fields[fields[i]] / sizes[fields[i]];
    for (const auto& [field, size] : sizes) of_fields.erase(field);
  }
  double left = 0;
  for (const auto& [field, sum] : of_fields) left += sum;
  return left;
}

void TreeColumns::encode(std::string& out) const {
  Writer w(out);
  w.f64(rows_);
  w.f64(labels_);
  w.f64(squares_);
  w.varint(own_.size());
  for (const Own& own : own_) {
    w.u32(own.hash);
    w.varint(std::uint64_t{own.field} * 2 + own.is_always_1);
  }
  w.varint(shared_fields_);
  for (std::size_t field = 0; field < shared_places_.size(); ++field) {
    if (shared_places_[field] != kNone) w.varint(field);
  }
  ids_.encode(out);
  w.u8(rated_.empty() ? 0 : 1);
  for (const WeightedSum& field : rated_) {
    for (const float factor : field.factors) w.f32(factor);
  }
}

bool TreeColumns::restore_rates(Reader& r) {
  const std::uint8_t has_any = r.u8();
  if (has_any > 1) return false;
  if (has_any == 0) return r.ok();
  rated_ = fields_of_few();
  for (WeightedSum& field : rated_) {
    for (float& factor : field.factors) {
      factor = r.f32();
      if (!std::isfinite(factor)) return false;
    }
  }
  return r.ok() && !rated_.empty();
}

bool TreeColumns::restore(Reader& r, bool has_rates) {
  rows_ = r.f64();
  labels_ = r.f64();
  squares_ = r.f64();
  const std::uint64_t own_size = r.varint();
  if (!r.ok() || own_size > kMostOwn || !(rows_ >= 0) || !std::isfinite(rows_ + squares_) ||
      !std::isfinite(labels_)) {
    return false;
  }
  std::vector<Own> own;
  for (std::uint64_t i = 0; i < own_size && r.ok(); ++i) {
    const std::uint32_t hash = r.u32();
    const std::uint64_t word = r.varint();
    if (word > 2 * 65'535 + 1) return false;
    own.push_back({hash, static_cast<std::uint16_t>(word / 2), word % 2 != 0});
  }
  set_own(std::move(own));
  if (own_places_.size() != own_size) return false;
  const std::uint64_t many = r.varint();
  std::vector<std::uint16_t> fields;
  for (std::uint64_t i = 0; i < many && r.ok(); ++i) {
    const std::uint64_t field = r.varint();
    if (fields.size() == kMostShared || field > 65'535 ||
        (!fields.empty() && field <= fields.back()))
      return false;
    fields.push_back(static_cast<std::uint16_t>(field));
  }
  set_shared(fields);
  return r.ok() && ids_.restore(r) && (!has_rates || restore_rates(r));
}

}  // namespace attune
