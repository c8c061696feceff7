#include "model/feature_table.h"

#include <algorithm>
#include <cmath>

namespace attune {
namespace {

constexpr std::size_t kLanes = 8;

std::size_t rows_within(const ModelOptions& o, std::size_t width) {
  const std::size_t by_bits = std::size_t{1} << o.bits;
  if (!o.collision_free || o.memory_bytes == 0) return by_bits;
  // Admission keeps up to 8 bytes a row.
  const std::size_t each = width * sizeof(float) + 8 + (o.admit_after > 1 ? 8 : 0);
  const std::size_t rows = std::min<std::size_t>(o.memory_bytes / each, std::size_t{1} << 31);
  return std::max(rows / IdIndex::kBucket, std::size_t{1}) * IdIndex::kBucket;
}

bool are_allowed(Row features) {
  bool allowed = true;
  for (const Feature& f : features) allowed &= std::abs(f.value) <= kMaxFeatureValue;
  return allowed;
}

// How an id was last seen, in few bits: 16 rows are one moment.
std::uint32_t moment(std::uint64_t learned) { return static_cast<std::uint32_t>(learned / 16) + 1; }

}  // namespace

FeatureTable::FeatureTable(const ModelOptions& options, std::size_t width)
    : width_(width),
      capacity_(rows_within(options, width)),
      bits_(options.bits),
      expire_rows_(options.expire_rows),
      memory_(TableMemory::zeroed(capacity_ * width)) {
  mask_ = static_cast<std::uint32_t>((std::uint64_t{1} << bits_) - 1);
  if (!options.collision_free || memory_.size() == 0) return;
  index_.emplace(capacity_);
  if (options.admit_after > 1) admission_.emplace(capacity_, options.admit_after);
}

Status FeatureTable::usable() const {
  if (memory_.size() > 0) return ok_status();
  return Error{Code::kUnavailable, "not enough memory for the table of the model", "bits",
               "use fewer bits or a smaller memory limit"};
}

// A row nobody took becomes the id's; use of one that is another's is counted.
// Local copies, because the compiler must think that found changes the table.
void FeatureTable::take_hashed(Row features, FoundRows& found) {
  const std::size_t size = features.size(), width = width_;
  const std::uint32_t mask = mask_;
  const int bits = bits_;
  float* const begin = memory_.data();
  found.at.resize(size);
  found.x.resize(size);
  float** const rows = found.at.data();
  float* const values = found.x.data();
  std::uint64_t shared = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint32_t hash = features[i].hash;
    float* const at = begin + (hash & mask) * width;
    rows[i] = at;
    values[i] = features[i].value;
    const auto owner = std::bit_cast<std::uint32_t>(*at);
    shared += owner != (hash >> bits) + 1 ? 1 : 0;
    if (owner != 0) continue;
    --shared;
    *at = std::bit_cast<float>(tag(hash));
    found.fresh.emplace_back(at, hash);
  }
  counts_.shared_uses += shared;
  counts_.rows += found.fresh.size();
}

void FeatureTable::find_hashed(Row features, FoundRows& found) const {
  const std::size_t size = features.size(), width = width_;
  const std::uint32_t mask = mask_;
  float* const begin = memory_.data();
  found.at.resize(size);
  found.x.resize(size);
  float** const rows = found.at.data();
  float* const values = found.x.data();
  for (std::size_t i = 0; i < size; ++i) {
    rows[i] = begin + (features[i].hash & mask) * width;
    values[i] = features[i].value;
  }
}

float* FeatureTable::admit(std::uint32_t hash, FoundRows& found) {
  const std::uint32_t now = moment(learned_);
  const bool is_admitted = !admission_ || admission_->admits(hash);
  const auto place = is_admitted ? index_->place(hash, now) : std::nullopt;
  if (!place) {
    ++counts_.waiting_uses;
    return nullptr;
  }
  ++(place->is_taken ? counts_.evicted : counts_.rows);
  float* const at = row(place->slot);
  std::fill_n(at, width_, 0.0F);
  *at = std::bit_cast<float>(tag(hash));
  index_->set(place->slot, hash, now);
  found.fresh.emplace_back(at, hash);
  return at;
}

void FeatureTable::take_indexed(Row features, FoundRows& found) {
  const std::uint32_t now = moment(learned_);
  for (const Feature& f : features) {
    const auto slot = index_->find(f.hash);
    float* const at = slot ? row(*slot) : admit(f.hash, found);
    if (at == nullptr) continue;
    if (slot) index_->touch(*slot, now);
    found.at.push_back(at);
    found.x.push_back(f.value);
  }
  ++learned_;
  if (expire_rows_ > 0 && learned_ % std::max<std::uint64_t>(expire_rows_ / 4, 1) == 0) expire();
}

void FeatureTable::expire() {
  if (learned_ < expire_rows_) return;
  const std::uint32_t oldest = moment(learned_ - expire_rows_);
  for (std::uint32_t slot = 0; slot < capacity_; ++slot) {
    if (!index_->is_taken(slot) || index_->seen(slot) >= oldest) continue;
    index_->free(slot);
    std::fill_n(row(slot), width_, 0.0F);
    ++counts_.expired;
    --counts_.rows;
  }
}

bool FeatureTable::take(Row features, FoundRows& found) {
  found.at.clear();
  found.x.clear();
  found.fresh.clear();
  found.size = 0;
  if (!are_allowed(features)) return false;
  if (index_) {
    take_indexed(features, found);
  } else {
    take_hashed(features, found);
  }
  found.size = found.at.size();
  return true;
}

bool FeatureTable::find(Row features, FoundRows& found) const {
  found.at.clear();
  found.x.clear();
  found.fresh.clear();
  found.size = 0;
  if (!are_allowed(features)) return false;
  if (!index_) find_hashed(features, found);
  for (std::size_t i = 0; index_ && i < features.size(); ++i) {
    const auto slot = index_->find(features[i].hash);
    if (!slot) continue;
    found.at.push_back(row(*slot));
    found.x.push_back(features[i].value);
  }
  found.size = found.at.size();
  return true;
}

void FeatureTable::pad(FoundRows& found) const {
  found.size = found.at.size();
  if (found.spare.empty()) found.spare.assign(kLanes * width_, 0.0F);
  for (std::size_t i = 0; found.at.size() % kLanes != 0; ++i) {
    found.at.push_back(found.spare.data() + i * width_);
    found.x.push_back(0);
  }
}

TableCounts FeatureTable::counts() const {
  TableCounts counts = counts_;
  counts.capacity = capacity_;
  if (index_ || counts.rows == 0) return counts;
  // n ids thrown at random into m rows leave m e^(-n/m) of them free (linear counting, Whang 1990).
  const auto m = static_cast<double>(capacity_);
  const double free = std::max(m - static_cast<double>(counts.rows), 0.5);
  const double ids = -m * std::log(free / m);
  counts.collisions = static_cast<std::uint64_t>(
      std::llround(std::max(0.0, ids - static_cast<double>(counts.rows))));
  return counts;
}

std::size_t FeatureTable::memory_bytes() const {
  return memory_.size() * sizeof(float) + (index_ ? index_->memory_bytes() : 0) +
         (admission_ ? admission_->memory_bytes() : 0);
}

}  // namespace attune
