// How a FeatureTable is written: row by row when few are taken, else as it lies in memory.
#include <algorithm>
#include <cstring>

#include "model/feature_table.h"

namespace attune {
namespace {

constexpr std::size_t kAlignment = 64;

enum class Form : std::uint8_t { kRowByRow, kAsInMemory };

std::size_t padding(std::size_t offset) { return (kAlignment - offset % kAlignment) % kAlignment; }

void put_counts(Writer& w, const TableCounts& c) {
  for (const std::uint64_t count : {c.shared_uses, c.waiting_uses, c.evicted, c.expired}) {
    w.varint(count);
  }
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
  const bool is_row_by_row = counts_.rows < capacity_ / 2;
  w.u8(static_cast<std::uint8_t>(is_row_by_row ? Form::kRowByRow : Form::kAsInMemory));
  if (is_row_by_row) return encode_rows(sink);
  w.varint(std::min<std::uint64_t>(counts_.rows, capacity_));
  for (std::size_t slot = 0; index_ && slot < capacity_; ++slot) {
    w.u32(index_->id(slot));
    w.u32(index_->seen(slot));
    sink.drain_if_long();
  }
  sink.out.append(padding(sink.size()), '\0');
  sink.pass({reinterpret_cast<const char*>(memory_.data()), memory_.size() * sizeof(float)});
}

// Each taken row: how far from the one before, plus 1; id and moment when there is an index; the
// floats. 0 ends the list.
void FeatureTable::encode_rows(ModelSink& sink) const {
  Writer w(sink.out);
  std::size_t last = 0;
  for (std::size_t slot = 0; slot < capacity_; ++slot) {
    if (!is_taken(slot)) continue;
    w.varint(slot - last + 1);
    last = slot;
    if (index_) {
      w.u32(index_->id(slot));
      w.u32(index_->seen(slot));
    }
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
  if (!r.ok() || form > static_cast<std::uint8_t>(Form::kAsInMemory)) return false;
  return form == static_cast<std::uint8_t>(Form::kRowByRow) ? restore_rows(r)
                                                            : restore_dense(source);
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
    std::memcpy(row(slot), floats.data(), floats.size());
    ++counts_.rows;
  }
  return r.ok();
}

// Only what is needed of the rows is touched, so that a mapped file is read as it is used.
bool FeatureTable::restore_dense(ModelSource& source) {
  Reader& r = source.reader;
  counts_.rows = r.varint();
  if (counts_.rows > capacity_) return false;
  std::uint64_t taken = 0;
  for (std::size_t slot = 0; index_ && slot < capacity_ && r.ok(); ++slot) {
    const std::uint32_t id = r.u32();
    index_->set(static_cast<std::uint32_t>(slot), id, r.u32());
    taken += index_->is_taken(slot) ? 1 : 0;
  }
  // The reader ends where the checksum begins, 8 bytes before the end.
  const std::size_t offset = source.all.size() - 8 - r.left();
  r.bytes(padding(offset));
  const std::string_view rows = r.bytes(memory_.size() * sizeof(float));
  if (!r.ok() || (index_ && taken != counts_.rows)) return false;
  auto* const at = reinterpret_cast<float*>(const_cast<char*>(rows.data()));
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(at) % kAlignment == 0;
  if (source.owner != nullptr && is_aligned) {
    memory_ = TableMemory<float>::within(at, memory_.size(), source.owner);
  } else {
    std::memcpy(memory_.data(), rows.data(), rows.size());
  }
  return true;
}

}  // namespace attune
