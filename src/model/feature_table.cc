#include "model/feature_table.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <new>
#include <utility>

#include "base/result.h"
#include "model/eight_features.h"
#include "model/float8.h"

namespace attune {
namespace {

constexpr std::size_t kLanes = EightFeatures::kLanes;

std::size_t rows_within(const ModelOptions& o, std::size_t width) {
  const std::size_t by_bits = std::size_t{1} << o.bits;
  if (!o.collision_free || o.memory_bytes == 0) return by_bits;
  // Admission keeps up to 8 bytes a row.
  const std::size_t each = width * sizeof(float) + 8 + (o.admit_after > 1 ? 8 : 0);
  const std::size_t rows = std::min<std::size_t>(o.memory_bytes / each, std::size_t{1} << 31);
  return std::max(rows / IdIndex::kBucket, std::size_t{1}) * IdIndex::kBucket;
}

// How an id was last seen, in few bits: 16 rows are one moment.
std::uint32_t moment(std::uint64_t learned) { return static_cast<std::uint32_t>(learned / 16) + 1; }

}  // namespace

bool are_allowed(Row features) {
  const auto is_one = [](const Feature& f) { return std::abs(f.value) <= kMaxFeatureValue; };
  if (features.size() < 4) return std::ranges::all_of(features, is_one);
  // Without its sign a float is in the order of its bits, NaN beyond all. Hashes count as 0.
  const __m256i magnitude = _mm256_set1_epi64x(0x7fffffffLL << 32);
  const auto four = [&](std::size_t i) {
    const auto* const at = reinterpret_cast<const __m256i*>(&features[i]);
    return _mm256_and_si256(_mm256_loadu_si256(at), magnitude);
  };
  __m256i largest = four(features.size() - 4);
  for (std::size_t i = 0; i + 4 < features.size(); i += 4) {
    largest = _mm256_max_epi32(largest, four(i));
  }
  const __m256i most = _mm256_set1_epi32(std::bit_cast<std::int32_t>(kMaxFeatureValue));
  const __m256i beyond = _mm256_cmpgt_epi32(largest, most);
  return _mm256_testz_si256(beyond, beyond) != 0;
}

FeatureTable::FeatureTable(const ModelOptions& options, std::size_t width, RowOrder order)
    : width_(width),
      order_(order),
      capacity_(rows_within(options, width)),
      bits_(options.bits),
      expire_rows_(options.expire_rows) {
  mask_ = static_cast<std::uint32_t>((std::uint64_t{1} << bits_) - 1);
  if (!options.collision_free && order == RowOrder::kByFirstUse) {
    memory_ = TableMemory<float>::reserved(most_floats());
    place_ = TableMemory<std::uint32_t>::zeroed(capacity_);
    if (!memory_.open(width_)) memory_ = {};
    return;
  }
  memory_ = TableMemory<float>::zeroed((capacity_ + (options.collision_free ? 0 : 1)) * width_);
  if (memory_.size() == 0 || !options.collision_free) return;
  index_.emplace(capacity_);
  if (options.admit_after > 1) admission_.emplace(capacity_, options.admit_after);
}

Status FeatureTable::usable() const {
  const bool has_index = index_ ? index_->size() > 0 : lies_by_slot() || place_.size() > 0;
  const bool has_counters = !admission_ || admission_->memory_bytes() > 0;
  if (memory_.size() > 0 && has_index && has_counters) return ok_status();
  return Error{Code::kUnavailable, "not enough memory for the table of the model", "bits",
               "use fewer bits or a smaller memory limit"};
}

// Up to eight features, as found[to] and after.
template <RowOrder order>
[[gnu::always_inline]] inline FeatureTable::NotTheirs FeatureTable::place_eight(
    Row features, FoundRows& found, std::size_t to) const {
  const EightFeatures eight(features);
  store_whole(eight.values(), &found.x[to]);
  float** const at = &found.at[to];
  rows_of_eight<order>(features, eight, at);
  const auto [columns] = load_columns(at);
  columns[1].store(&found.first[to]);
  const __m256i owners = _mm256_castps_si256(columns[0].v);
  __m256i tags = _mm256_add_epi32(_mm256_srl_epi32(eight.hashes(), _mm_cvtsi32_si128(bits_)),
                                  _mm256_set1_epi32(1));
  if (is_watched_) tags = _mm256_or_si256(tags, _mm256_set1_epi32(static_cast<int>(kMark)));
  const auto lanes = [&](__m256i are) {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(are)));
  };
  const std::uint32_t there = features.size() >= kLanes ? 0xff : (1U << features.size()) - 1;
  const std::uint32_t nobodys = there & lanes(_mm256_cmpeq_epi32(owners, _mm256_setzero_si256()));
  return {there & ~nobodys & ~lanes(_mm256_cmpeq_epi32(owners, tags)), nobodys};
}

// Where mapped rows end, in a file, there is no room for more.
void FeatureTable::leave_file() {
  const auto mapped = std::exchange(memory_, TableMemory<float>::reserved(most_floats()));
  make_room(taking_->next);
  std::copy_n(mapped.data(), taking_->next * width_, memory_.data());
}

// Where there is no memory it ends as `new` does.
void FeatureTable::make_room(std::size_t rows) {
  while (!memory_.open(rows * width_)) {
    const std::new_handler handler = std::get_new_handler();
    CHECK(handler != nullptr);
    handler();
  }
}

// Of zeros.
std::uint32_t FeatureTable::next_row() {
  make_room(taking_->next + std::size_t{1});
  return taking_->next++;
}

// Ids that are new are few, and it takes less than it would to wait.
std::uint32_t FeatureTable::Taking::take_shared(std::uint32_t& place, bool& is_new) {
  while (is_busy.test_and_set(std::memory_order_acquire)) _mm_pause();
  const std::atomic_ref shared(place);
  std::uint32_t taken = shared.load(std::memory_order_relaxed);
  is_new = taken == 0;
  if (is_new) shared.store(taken = next++, std::memory_order_relaxed);
  is_busy.clear(std::memory_order_release);
  return taken;
}

std::uint32_t FeatureTable::take_place(std::uint32_t slot, bool& is_new) {
  std::uint32_t& place = place_[slot];
  if (is_shared_) return taking_->take_shared(place, is_new);
  is_new = place == 0;
  if (is_new) place = next_row();
  return place;
}

Status FeatureTable::share(FeatureTable& of, std::uint32_t most_own) {
  CHECK(has_places() && of.has_places() && width_ == of.width_ && mask_ == of.mask_);
  if (of.memory_.size() < of.most_floats()) of.leave_file();
  auto own = TableMemory<float>::zeroed(most_own * width_);
  if (!of.memory_.open(of.most_floats()) || own.size() < most_own * width_) {
    return Error{Code::kUnavailable, "not enough memory for the table of the model", "bits",
                 "use fewer bits"};
  }
  memory_ = of.memory_;
  place_ = of.place_;
  taking_ = of.taking_;
  own_ = std::move(own);
  is_shared_ = of.is_shared_ = true;
  return ok_status();
}

void FeatureTable::put_first(std::size_t by, std::uint32_t last) {
  CHECK(has_places());
  const std::uint32_t taken = taking_->next - 1;
  if (taken <= last) return;
  std::vector<std::pair<float, std::uint32_t>> rows;
  for (std::uint32_t number = 1; number <= taken; ++number) {
    rows.emplace_back(-row(number)[by], number);
  }
  std::nth_element(rows.begin(), rows.begin() + last, rows.end());
  std::vector<std::uint32_t> to(taken + std::size_t{1});  // where each goes; 0 = it stays
  std::vector<bool> stays(last + std::size_t{1});
  for (std::uint32_t i = 0; i < last; ++i) {
    if (rows[i].second <= last) stays[rows[i].second] = true;
  }
  std::uint32_t free = 1;
  for (std::uint32_t i = 0; i < last; ++i) {
    const std::uint32_t number = rows[i].second;
    if (number <= last) continue;
    while (stays[free]) ++free;
    to[number] = free;
    to[free] = number;
    std::swap_ranges(row(number), row(number) + width_, row(free++));
  }
  for (std::size_t slot = 0; slot < capacity_; ++slot) {
    if (to[place_[slot]] != 0) place_[slot] = to[place_[slot]];
  }
}

void FeatureTable::keep_own(std::uint32_t rows) {
  CHECK(is_shared_ && rows <= taking_->next && rows * width_ <= own_.size());
  std::copy_n(memory_.data(), rows * width_, own_.data());
  own_rows_ = rows;
}

// The row of a slot; one that was nobody's is all zeros and now taken, if not yet by a tag.
float* FeatureTable::take_slot(std::uint32_t hash, bool& is_new) {
  if (lies_by_slot()) {
    float* const at = row_of(hash);
    is_new = std::bit_cast<std::uint32_t>(*at) == 0;
    return at;
  }
  return row(take_place(hash & mask_, is_new));
}

// A slot nobody took becomes the id's; use of one that is another's is counted.
template <RowOrder order>
void FeatureTable::take_hashed(Row features, FoundRows& found, Row& coming) {
  std::size_t to = 0;
  for (; to < features.size(); to += kLanes) {
    const Row eight = features.subspan(to, std::min(kLanes, features.size() - to));
    prefetch_few(coming);
    const NotTheirs lanes = place_eight<order>(eight, found, to);
    if ((lanes.others | lanes.nobodys) != 0) take_others(eight, lanes, found, to);
  }
  found.count = features.size();
  counts_.rows += found.fresh.size();
}

void FeatureTable::take_others(Row features, NotTheirs lanes, FoundRows& found, std::size_t to) {
  if (is_watched_) return take_watched(features, lanes.others | lanes.nobodys, found, to);
  counts_.shared_uses += static_cast<unsigned>(std::popcount(lanes.others));
  for (std::uint32_t left = lanes.nobodys; left != 0; left &= left - 1) {
    const auto lane = static_cast<std::size_t>(std::countr_zero(left));
    const std::uint32_t hash = features[lane].hash;
    float*& at = found.at[to + lane];
    bool is_new = false;
    at = take_slot(hash, is_new);  // an earlier one of the eight may have
    if (is_new) {
      *at = taken_by(hash);
      found.fresh.emplace_back(at, hash);
    } else if (std::bit_cast<std::uint32_t>(*at) != tag(hash)) {
      ++counts_.shared_uses;
    }
  }
}

// Of features, found[to] and after: those lanes whose row is not both the id's and marked.
void FeatureTable::take_watched(Row features, std::uint32_t lanes, FoundRows& found,
                                std::size_t to) {
  for (; lanes != 0; lanes &= lanes - 1) {
    const auto lane = static_cast<std::size_t>(std::countr_zero(lanes));
    const std::uint32_t hash = features[lane].hash;
    float*& at = found.at[to + lane];
    bool is_new = std::bit_cast<std::uint32_t>(*at) == 0;
    if (is_new) at = take_slot(hash, is_new);  // an earlier one of the eight may have
    const auto owner = std::bit_cast<std::uint32_t>(*at);
    if ((owner & ~kMark) != tag(hash)) counts_.shared_uses += is_new ? 0 : 1;
    if ((owner & kMark) != 0) continue;
    before_.insert(before_.end(), at, at + width_);
    at[note_] = std::bit_cast<float>(static_cast<std::uint32_t>(changed_.size()));
    changed_.push_back({at, hash, is_new});
    *at = std::bit_cast<float>((is_new ? tag(hash) : owner) | kMark);
    if (is_new) found.fresh.emplace_back(at, hash);
  }
}

void FeatureTable::watch(std::size_t note) {
  note_ = note;
  is_watched_ = true;
}

void FeatureTable::stop_watching() {
  for (const Changed& one : changed_) *one.row = unmarked(one.row);
  forget_changes();
  is_watched_ = false;
}

void FeatureTable::forget_changes() {
  changed_.clear();
  before_.clear();
}

float* FeatureTable::take_row(std::uint32_t hash, bool& is_new) {
  if (memory_.size() < most_floats()) leave_file();
  float* const at = take_slot(hash, is_new);
  if (is_new) {
    ++counts_.rows;
    *at = taken_by(hash);
  }
  return at;
}

template <RowOrder order>
void FeatureTable::find_hashed(Row features, FoundRows& found) const {
  for (std::size_t to = 0; to < features.size(); to += kLanes) {
    const Row eight = features.subspan(to, std::min(kLanes, features.size() - to));
    (void)place_eight<order>(eight, found, to);
  }
  found.count = features.size();
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
  for (std::uint32_t i = 0; i < features.size(); ++i) {
    const Feature& f = features[i];
    const auto slot = index_->find(f.hash);
    float* const at = slot ? row(*slot) : admit(f.hash, found);
    if (at == nullptr) continue;
    if (slot) index_->touch(*slot, now);
    found.from.push_back(i);
    found.add(at, f.value);
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

bool FeatureTable::take(Row features, FoundRows& found, Row& coming) {
  found.begin(features.size());
  if (!are_allowed(features)) return false;
  if (index_) {
    take_indexed(features, found);
  } else {
    if (memory_.size() < most_floats()) leave_file();
    lies_by_slot() ? take_hashed<RowOrder::kBySlot>(features, found, coming)
                   : take_hashed<RowOrder::kByFirstUse>(features, found, coming);
  }
  found.size = found.count;
  return true;
}

bool FeatureTable::find(Row features, FoundRows& found) const {
  found.begin(features.size());
  if (!are_allowed(features)) return false;
  if (!index_) {
    lies_by_slot() ? find_hashed<RowOrder::kBySlot>(features, found)
                   : find_hashed<RowOrder::kByFirstUse>(features, found);
  }
  for (std::uint32_t i = 0; index_ && i < features.size(); ++i) {
    const auto slot = index_->find(features[i].hash);
    if (!slot) continue;
    found.from.push_back(i);
    found.add(row(*slot), features[i].value);
  }
  found.size = found.count;
  return true;
}

void FeatureTable::pad(FoundRows& found) const {
  found.size = found.count;
  if (found.spare.empty()) found.spare.assign(kLanes * width_, 0.0F);
  for (std::size_t i = 0; found.count % kLanes != 0; ++i) {
    found.add(found.spare.data() + i * width_, 0);
  }
}

TableCounts FeatureTable::counts() const {
  TableCounts counts = counts_;
  counts.capacity = capacity_;
  if (has_places()) counts.rows = taking_->next - 1;
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
  if (lies_by_slot()) return most_memory_bytes();
  if (!index_)
    return place_.size() * sizeof(std::uint32_t) + taking_->next * width_ * sizeof(float);
  return memory_.size() * sizeof(float) + index_->memory_bytes() +
         (admission_ ? admission_->memory_bytes() : 0);
}

std::size_t FeatureTable::most_memory_bytes() const {
  if (index_) return memory_bytes();
  return place_.size() * sizeof(std::uint32_t) + most_floats() * sizeof(float);
}

}  // namespace attune
