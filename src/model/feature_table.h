// FeatureTable: a row of floats for each feature id, aligned to 64 bytes. Hashed: the row of the
// slot hash & mask, ids may share one; rows lie by their slots, or in the order their slots were
// first used in, so that only those that are taken take memory. Collision-free: found by
// the whole hash; ids are admitted when seen often enough, dropped when not seen for long, and the
// longest unseen gives way when memory is full. The first word of a row is the table's own (0 = not
// taken); the rest starts as 0 and is the model's. find() is const and safe to share; the rest is
// one thread's.
#pragma once
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/prefetch_line.h"
#include "model/admission.h"
#include "model/eight_features.h"
#include "model/examples.h"
#include "model/id_index.h"
#include "model/model.h"
#include "model/stored_model.h"
#include "model/table_memory.h"

namespace attune {

// The rows of one example's features, parallel to their values. Used again and again: the first
// `count` places of `at`, `x` and `first` hold. pad() fills up to a multiple of 8 with rows and
// values that change nothing.
struct FoundRows {
  std::vector<float*> at;
  std::vector<float> x;
  std::vector<float> first;  // of the model's floats in each row, as it was found
  std::vector<std::pair<float*, std::uint32_t>> fresh;  // rows just taken, and by which hash
  std::vector<std::uint32_t> from;  // which feature each is of; empty = all of them have a row
  std::size_t size = 0, count = 0;  // without and with padding
  std::vector<float> spare;         // what padding points to

  // Empty, with room for so many and what is padded.
  void begin(std::size_t most) {
    if (at.size() < most + 16) {
      at.resize(most + 16);
      x.resize(most + 16);
      first.resize(most + 16);
    }
    fresh.clear();
    from.clear();
    size = count = 0;
  }
  std::size_t feature_of(std::size_t i) const { return from.empty() ? i : from[i]; }
  void add(float* row, float value) {
    at[count] = row;
    x[count] = value;
    first[count++] = row[1];
  }
};

// Whether every value is one a row may have.
bool are_allowed(Row features);

// Where the rows of a hashed table lie. In the order of first use a table takes as little memory as
// there are ids, and one more access to find a row: for kinds that do more with a row than add it.
enum class RowOrder { kBySlot, kByFirstUse };

class FeatureTable {
 public:
  // width: floats a row, a multiple of 4, with the table's own.
  FeatureTable(const ModelOptions& options, std::size_t width,
               RowOrder order = RowOrder::kByFirstUse);
  Status usable() const;  // kUnavailable when there is not so much memory
  std::size_t width() const { return width_; }

  // In two steps, as a row is found in two: where it lies, then the row. What was not asked for in
  // the first is waited for in the second. Rows that lie by slot need the second alone.
  void prefetch_place(std::uint32_t hash) const {
    if (has_places()) prefetch_line(&place_[hash & mask_]);
  }
  void prefetch(std::uint32_t hash) const {
    if (index_) return index_->prefetch(hash);
    prefetch_lines(row_of(hash));
  }
  void prefetch_places(Row features) const {
    if (!has_places()) return;
    for (const Feature& f : features) prefetch_line(&place_[f.hash & mask_]);
  }
  void prefetch(Row features) const;
  // Of a row that comes, the next few, which are taken off it: memory has only so many requests
  // under way, so that asking is best done between other work.
  void prefetch_few(Row& coming) const;
  // Rows to learn from; takes rows for new ids. False when a value is not allowed: then nothing was
  // done. Call once a learned row, in order. Of what comes some is asked for on the way.
  bool take(Row features, FoundRows& found, Row& coming);
  bool take(Row features, FoundRows& found) {
    Row nothing;
    return take(features, found, nothing);
  }
  bool is_hashed() const { return !index_; }
  // Rows to predict by: ids that have none are left out. False when a value is not allowed.
  bool find(Row features, FoundRows& found) const;
  // Up to a multiple of 8, after the model added rows of its own.
  void pad(FoundRows& found) const;

  // Between watch() and stop_watching(), hashed tables note each row that take() hands out for the
  // first time since forget_changes(), and what it was: see replicated_model.cc.
  struct Changed {
    float* row;
    std::uint32_t hash;  // of an id it is found by
    bool is_new;         // taken since
  };
  // note: a float of the rows that is the table's to write, and stays whatever it was at last.
  void watch(std::size_t note);
  void stop_watching();
  std::span<const Changed> changed() const { return changed_; }
  float* before(std::size_t changed) { return &before_[changed * width_]; }  // zeros of a new one
  // Which of changed() a row is.
  std::optional<std::size_t> changed_at(const float* row) const {
    const auto at = std::bit_cast<std::uint32_t>(row[note_]);
    const bool is_one = at < changed_.size() && changed_[at].row == row;
    return is_one ? std::optional<std::size_t>(at) : std::nullopt;
  }
  void forget_changes();
  // The first word of a changed row as it is to be once it is forgotten.
  static float unmarked(const float* row) {
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(*row) & ~kMark);
  }
  // The first word of a row that was taken by this id.
  float taken_by(std::uint32_t hash) const { return std::bit_cast<float>(tag(hash)); }
  // The row of an id in a hashed table, taken if nobody has it. It is not noted; a new one is
  // zeros.
  float* take_row(std::uint32_t hash, bool& is_new);
  // From now on both have the same rows, each table for a thread of its own (Hogwild, Niu et al.
  // 2011): who first sees an id takes a row for all; what is in rows is read and written in no
  // order. Hashed ones in the order of first use, not watched. most_own: see keep_own().
  // kUnavailable without the memory.
  Status share(FeatureTable& of, std::uint32_t most_own = 0);
  void stop_sharing() {  // the others are not used any more
    is_shared_ = false;
    own_rows_ = 0;
    own_ = {};
  }
  // The rows that are largest in float `by` become the first, up to number `last`, in any order.
  // Of a hashed table in the order of first use, before anybody has pointers to its rows.
  void put_first(std::size_t by, std::uint32_t last);
  // The lines of the ids used most are those that threads would take from each other all the time.
  // Of a table that shares, its first rows, so many, all taken and at most most_own, are its own
  // from now on, as they are now.
  void keep_own(std::uint32_t rows);
  std::uint32_t next_row_number() const { return taking_->next; }  // 1 more than are taken
  // In the order they were taken in, unless put_first() changed it, from 1; 0 = zeros.
  float* row(std::size_t number) const {
    return (number < own_rows_ ? own_.data() : memory_.data()) + number * width_;
  }
  std::uint64_t take_shared_uses() { return std::exchange(counts_.shared_uses, 0); }
  void add_shared_uses(std::uint64_t uses) { counts_.shared_uses += uses; }

  TableCounts counts() const;
  std::size_t memory_bytes() const;       // of what is taken
  std::size_t most_memory_bytes() const;  // once every row is
  void encode(ModelSink& sink) const;
  bool restore(ModelSource& source);

 private:
  bool lies_by_slot() const { return !index_ && order_ == RowOrder::kBySlot; }
  bool has_places() const { return !index_ && order_ == RowOrder::kByFirstUse; }
  float* row_of(std::uint32_t hash) const {
    const std::uint32_t slot = hash & mask_;
    return row(lies_by_slot() ? slot + std::size_t{1} : place_of(slot));
  }
  float* row_by_slot(std::uint32_t hash) const {
    return memory_.data() + (std::size_t{hash & mask_} + 1) * width_;
  }
  // Another thread may be taking it.
  std::uint32_t place_of(std::uint32_t slot) const {
    return std::atomic_ref(place_.data()[slot]).load(std::memory_order_relaxed);
  }
  // In the first word of a row. A marked row is one of changed().
  static constexpr std::uint32_t kMark = 0x80000000;
  static constexpr std::size_t kLineFloats = 16;  // of a line of the cache
  void prefetch_lines(const float* at) const {
    prefetch_line(at);
    for (std::size_t i = kLineFloats; i < width_; i += kLineFloats) prefetch_line(at + i);
  }
  std::uint32_t tag(std::uint32_t hash) const { return (hash >> bits_) + 1; }
  template <RowOrder order>
  void take_hashed(Row features, FoundRows& found, Row& coming);
  // Of eight features, by bits: whose row is not theirs but another's, and whose is nobody's.
  struct NotTheirs {
    std::uint32_t others, nobodys;
  };
  void take_others(Row features, NotTheirs lanes, FoundRows& found, std::size_t to);
  void take_watched(Row features, std::uint32_t lanes, FoundRows& found, std::size_t to);
  std::uint32_t next_row();
  std::uint32_t take_place(std::uint32_t slot, bool& is_new);
  float* take_slot(std::uint32_t hash, bool& is_new);
  void make_room(std::size_t rows);
  void leave_file();
  template <RowOrder order>
  void find_hashed(Row features, FoundRows& found) const;
  template <RowOrder order>
  void rows_of_eight(Row features, const EightFeatures& eight, float** at) const;
  template <RowOrder order>
  NotTheirs place_eight(Row features, FoundRows& found, std::size_t to) const;
  void take_indexed(Row features, FoundRows& found);
  float* admit(std::uint32_t hash, FoundRows& found);
  void expire();
  std::size_t most_floats() const { return (capacity_ + (index_ ? 0 : 1)) * width_; }
  void encode_rows(ModelSink& sink) const;
  void encode_as_in_memory(ModelSink& sink) const;
  void encode_in_order(ModelSink& sink) const;
  void encode_by_slot(ModelSink& sink) const;
  bool restore_rows(Reader& reader);
  bool restore_as_in_memory(ModelSource& source);
  bool restore_in_order(ModelSource& source);
  bool restore_by_slot(ModelSource& source);
  bool restore_slots(std::string_view rows);
  bool restore_row(std::uint32_t slot, std::string_view floats);
  void restore_memory(std::string_view rows, const ModelSource& source);

  std::size_t width_;
  RowOrder order_;
  std::size_t capacity_ = 0;
  int bits_;
  std::uint32_t mask_ = 0;
  std::uint64_t expire_rows_;
  TableMemory<float> memory_;
  // By first use: the row of each slot, 0 = nobody took it. Row 0 stays zeros and is nobody's.
  TableMemory<std::uint32_t> place_;
  // Of rows in order, also of tables that share them.
  struct Taking {
    std::uint32_t next = 1;  // row to be taken
    std::atomic_flag is_busy;
    std::uint32_t take_shared(std::uint32_t& place, bool& is_new);
  };
  std::shared_ptr<Taking> taking_ = std::make_shared<Taking>();
  bool is_shared_ = false;
  TableMemory<float> own_;  // room for most_own rows
  std::uint32_t own_rows_ = 0;
  std::optional<IdIndex> index_;        // when collision-free
  std::optional<Admission> admission_;  // when admit_after > 1
  std::uint64_t learned_ = 0;           // rows
  TableCounts counts_;
  bool is_watched_ = false;
  std::vector<Changed> changed_;
  std::vector<float> before_;  // (changed_, width_)
  std::size_t note_ = 0;       // a changed row says in this float which of changed_ it is
};

// Where the rows of up to eight features lie; for what is missing, a row there is.
template <RowOrder order>
[[gnu::always_inline]] inline void FeatureTable::rows_of_eight(Row features,
                                                               const EightFeatures& eight,
                                                               float** at) const {
  if constexpr (order == RowOrder::kBySlot) {
    const __m256i mask = _mm256_set1_epi64x(mask_);
    const __m256i bytes = _mm256_set1_epi64x(static_cast<long long>(width_ * sizeof(float)));
    const __m256i begin = _mm256_set1_epi64x(reinterpret_cast<long long>(row(1)));
    const auto rows = [&](__m256i four) {
      return _mm256_add_epi64(begin, _mm256_mul_epu32(_mm256_and_si256(four, mask), bytes));
    };
    store_whole(rows(eight.first), at);
    store_whole(rows(eight.second), at + 4);
  } else if (features.size() >= EightFeatures::kLanes) {
#pragma GCC unroll 8
    for (std::size_t k = 0; k < EightFeatures::kLanes; ++k) {
      at[k] = row(place_of(features[k].hash & mask_));
    }
  } else {
    std::fill_n(at, EightFeatures::kLanes, row(0));
    for (std::size_t k = 0; k < features.size(); ++k) {
      at[k] = row(place_of(features[k].hash & mask_));
    }
  }
}

inline void FeatureTable::prefetch_few(Row& coming) const {
  constexpr std::size_t kFew = 4;
  if (coming.size() >= kFew && lies_by_slot() && width_ <= kLineFloats) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < kFew; ++k) prefetch_line(row_by_slot(coming[k].hash));
    coming = coming.subspan(kFew);
    return;
  }
  const Row few = coming.first(std::min(kFew, coming.size()));
  coming = coming.subspan(few.size());
  prefetch(few);
}

inline void FeatureTable::prefetch(Row features) const {
  if (index_) {
    for (const Feature& f : features) index_->prefetch(f.hash);
  } else if (lies_by_slot()) {
    for (const Feature& f : features) prefetch_lines(row_by_slot(f.hash));
  } else {
    for (const Feature& f : features) prefetch_lines(row(place_of(f.hash & mask_)));
  }
}

}  // namespace attune
