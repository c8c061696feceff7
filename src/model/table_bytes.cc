// How a FeatureTable is written. Hashed: the rows in the order they were taken in, as they lie in
// memory. Collision-free: row by row when few are taken, else as it lies in memory; hashed ones are
// read of these two forms too.
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "base/result.h"
#include "model/feature_table.h"

namespace attune {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kRowsAtOnce = 4096;

enum class Form : std::uint8_t { kRowByRow, kAsInMemory, kInOrder };

std::size_t padding(std::size_t offset) { return (kAlignment - offset % kAlignment) % kAlignment; }

void put_counts(Writer& w, const TableCounts& c) {
  for (const std::uint64_t count : {c.shared_uses, c.waiting_uses, c.evicted, c.expired}) {
    w.varint(count);
  }
}

// width: a multiple of 4. Short rows, which a call would take longer for.
void copy_row(const float* row, std::size_t width, float* to) {
  for (std::size_t c = 0; c < width; c += 4) _mm_storeu_ps(to + c, _mm_loadu_ps(row + c));
}

void put_aligned(ModelSink& sink, const float* rows, std::size_t numbers) {
  sink.out.append(padding(sink.size()), '\0');
  sink.pass({reinterpret_cast<const char*>(rows), numbers * sizeof(float)});
}

// The reader ends where the checksum begins, 8 bytes before the end.
std::string_view read_aligned(ModelSource& source, std::size_t numbers) {
  source.reader.bytes(padding(source.all.size() - 8 - source.reader.left()));
  return source.reader.bytes(numbers * sizeof(float));
}

void read_counts(Reader& r, TableCounts& c) {
  for (std::uint64_t* const count : {&c.shared_uses, &c.waiting_uses, &c.evicted, &c.expired}) {
    *count = r.varint();
  }
}

}  // namespace

void FeatureTable::encode(ModelSink& sink) const {
  Writer w(sink.out);
  w.varint(learned_);
  put_counts(w, counts_);
  if (admission_) {
    w.varint(admission_->added());
    w.str(admission_->counters());
  }
  const Form form = !index_                        ? Form::kInOrder
                    : counts_.rows < capacity_ / 2 ? Form::kRowByRow
                                                   : Form::kAsInMemory;
  w.u8(static_cast<std::uint8_t>(form));
  if (form == Form::kInOrder) return encode_in_order(sink);
  if (form == Form::kRowByRow) return encode_rows(sink);
  encode_as_in_memory(sink);
}

// The slots of the rows, then the rows, that of zeros first. Those that lie by slot in that order.
void FeatureTable::encode_in_order(ModelSink& sink) const {
  if (lies_by_slot()) return encode_by_slot(sink);
  std::vector<std::uint32_t> slots(taking_->next);
  for (std::uint32_t slot = 0; slot < capacity_; ++slot) slots[place_[slot]] = slot;
  Writer(sink.out).varint(taking_->next - 1);
  sink.pass({reinterpret_cast<const char*>(slots.data() + 1),
             (taking_->next - 1) * sizeof(std::uint32_t)});
  put_aligned(sink, memory_.data(), taking_->next * width_);
}

void FeatureTable::encode_by_slot(ModelSink& sink) const {
  std::vector<std::uint32_t> slots(counts_.rows + 1);
  std::size_t taken = 0;
  for (std::uint32_t slot = 0; slot < capacity_ && taken <= counts_.rows; ++slot) {
    slots[taken] = slot;  // stays if it is taken: no branch that is guessed wrong each third time
    taken += std::bit_cast<std::uint32_t>(*row(slot + std::size_t{1})) != 0 ? 1 : 0;
  }
  CHECK(taken == counts_.rows);
  Writer(sink.out).varint(taken);
  sink.pass({reinterpret_cast<const char*>(slots.data()), taken * sizeof(std::uint32_t)});
  put_aligned(sink, memory_.data(), width_);
  std::vector<float> rows(kRowsAtOnce * width_);
  for (std::size_t i = 0; i < taken; i += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, taken - i);
    for (std::size_t k = 0; k < count; ++k) {
      copy_row(row(slots[i + k] + std::size_t{1}), width_, &rows[k * width_]);
    }
    sink.pass({reinterpret_cast<const char*>(rows.data()), count * width_ * sizeof(float)});
  }
}

void FeatureTable::encode_as_in_memory(ModelSink& sink) const {
  Writer w(sink.out);
  w.varint(std::min<std::uint64_t>(counts_.rows, capacity_));
  for (std::size_t slot = 0; slot < capacity_; ++slot) {
    w.u32(index_->id(slot));
    w.u32(index_->seen(slot));
    sink.drain_if_long();
  }
  put_aligned(sink, memory_.data(), memory_.size());
}

// Each taken row: how far from the one before, plus 1; id and moment; the floats. 0 ends the list.
void FeatureTable::encode_rows(ModelSink& sink) const {
  Writer w(sink.out);
  std::size_t last = 0;
  for (std::size_t slot = 0; slot < capacity_; ++slot) {
    if (!index_->is_taken(slot)) continue;
    w.varint(slot - last + 1);
    last = slot;
    w.u32(index_->id(slot));
    w.u32(index_->seen(slot));
    sink.out.append(reinterpret_cast<const char*>(row(slot)), width_ * sizeof(float));
    sink.drain_if_long();
  }
  w.varint(0);
}

bool FeatureTable::restore(ModelSource& source) {
  Reader& r = source.reader;
  learned_ = r.varint();
  read_counts(r, counts_);
  if (admission_) {
    const std::uint64_t added = r.varint();
    if (!admission_->restore(r.str(), added)) return false;
  }
  const std::uint8_t form = r.u8();
  if (!r.ok() || form > static_cast<std::uint8_t>(Form::kInOrder)) return false;
  if (form == static_cast<std::uint8_t>(Form::kInOrder)) return restore_in_order(source);
  return form == static_cast<std::uint8_t>(Form::kRowByRow) ? restore_rows(r)
                                                            : restore_as_in_memory(source);
}

bool FeatureTable::restore_rows(Reader& r) {
  std::size_t slot = 0;
  for (std::uint64_t step = r.varint(); step != 0; step = r.varint()) {
    if (step > capacity_ - slot) return false;
    slot += step - 1;
    if (index_) {
      const std::uint32_t id = r.u32(), seen = r.u32();
      index_->set(static_cast<std::uint32_t>(slot), id, seen);
      if (seen == 0) return false;
    }
    const std::string_view floats = r.bytes(width_ * sizeof(float));
    if (!r.ok()) return false;
    if (index_) {
      std::memcpy(row(slot), floats.data(), floats.size());
    } else if (!restore_row(static_cast<std::uint32_t>(slot), floats)) {
      return false;
    }
    ++counts_.rows;
  }
  return r.ok();
}

// Of a hashed table. False when the slot was taken, or the row says that nobody took it.
bool FeatureTable::restore_row(std::uint32_t slot, std::string_view floats) {
  bool is_new = false;
  float* const at = take_slot(slot, is_new);
  if (is_new) std::memcpy(at, floats.data(), floats.size());
  return is_new && std::bit_cast<std::uint32_t>(*at) != 0;
}

bool FeatureTable::restore_as_in_memory(ModelSource& source) {
  Reader& r = source.reader;
  counts_.rows = r.varint();
  if (counts_.rows > capacity_) return false;
  std::uint64_t taken = 0;
  for (std::size_t slot = 0; index_ && slot < capacity_ && r.ok(); ++slot) {
    const std::uint32_t id = r.u32();
    index_->set(static_cast<std::uint32_t>(slot), id, r.u32());
    taken += index_->is_taken(slot) ? 1 : 0;
  }
  const std::string_view rows = read_aligned(source, capacity_ * width_);
  if (!r.ok() || (index_ && taken != counts_.rows)) return false;
  if (!index_) return restore_slots(rows);
  restore_memory(rows, source);
  return true;
}

// A hashed table of a row for each slot.
bool FeatureTable::restore_slots(std::string_view rows) {
  const std::size_t bytes = width_ * sizeof(float);
  std::uint64_t taken = 0;
  for (std::uint32_t slot = 0; slot < capacity_; ++slot) {
    const std::string_view floats = rows.substr(slot * bytes, bytes);
    if (Reader(floats).u32() == 0) continue;
    if (!restore_row(slot, floats)) return false;
    ++taken;
  }
  return counts_.rows == taken;
}

bool FeatureTable::restore_in_order(ModelSource& source) {
  Reader& r = source.reader;
  counts_.rows = r.varint();
  if (index_ || counts_.rows > capacity_) return false;
  if (lies_by_slot()) return restore_by_slot(source);
  for (; taking_->next <= counts_.rows; ++taking_->next) {
    const std::uint32_t slot = r.u32();
    if (!r.ok() || slot >= capacity_ || place_[slot] != 0) return false;
    place_[slot] = taking_->next;
  }
  const std::string_view rows = read_aligned(source, taking_->next * width_);
  const std::string_view zeros = rows.substr(0, width_ * sizeof(float));
  if (!r.ok() || zeros.find_first_not_of('\0') != std::string_view::npos) return false;
  restore_memory(rows, source);
  return true;
}

bool FeatureTable::restore_by_slot(ModelSource& source) {
  Reader& r = source.reader;
  const std::string_view slots = r.bytes(counts_.rows * sizeof(std::uint32_t));
  const std::string_view rows = read_aligned(source, (counts_.rows + 1) * width_);
  if (!r.ok()) return false;
  const std::size_t bytes = width_ * sizeof(float);
  Reader slot(slots);
  for (std::size_t i = 1; i <= counts_.rows; ++i) {
    const std::uint32_t at = slot.u32();
    if (at >= capacity_ || !restore_row(at, rows.substr(i * bytes, bytes))) return false;
  }
  return rows.substr(0, bytes).find_first_not_of('\0') == std::string_view::npos;
}

// Only what is needed of the rows is touched, so that a mapped file is read as it is used.
void FeatureTable::restore_memory(std::string_view rows, const ModelSource& source) {
  auto* const at = reinterpret_cast<float*>(const_cast<char*>(rows.data()));
  const std::size_t numbers = rows.size() / sizeof(float);
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(at) % kAlignment == 0;
  if (source.owner != nullptr && is_aligned) {
    memory_ = TableMemory<float>::within(at, numbers, source.owner);
  } else {
    make_room(numbers / width_);
    std::memcpy(memory_.data(), rows.data(), rows.size());
  }
}

}  // namespace attune
