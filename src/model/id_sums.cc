#include "model/id_sums.h"

#include <algorithm>
#include <cmath>

namespace attune {

std::size_t IdSums::slot_of(std::uint32_t id) const {
  const std::size_t last = slots_.size() - 1;
  std::size_t at = id & last;  // hashes are even by themselves
  while (slots_[at].sums.rows > 0 && slots_[at].id != id) at = (at + 1) & last;
  return at;
}

IdSums::Sums IdSums::find(std::uint32_t hash) const {
  return slots_.empty() ? Sums() : slots_[slot_of(hash & mask_)].sums;
}

void IdSums::add(std::uint32_t hash, const Sums& more) {
  if (4 * size_ >= 3 * slots_.size()) grow();
  Slot& slot = slots_[slot_of(hash & mask_)];
  if (slot.sums.rows == 0) {
    slot.id = hash & mask_;
    ++size_;
  }
  slot.sums.rows += more.rows;
  slot.sums.labels += more.labels;
}

void IdSums::grow() {
  const std::vector<Slot> old = std::move(slots_);
  slots_.assign(std::max<std::size_t>(2 * old.size(), 1024), Slot());
  for (const Slot& slot : old) {
    if (slot.sums.rows > 0) slots_[slot_of(slot.id)] = slot;
  }
}

void IdSums::encode(std::string& out) const {
  std::vector<Slot> taken;
  std::copy_if(slots_.begin(), slots_.end(), std::back_inserter(taken),
               [](const Slot& slot) { return slot.sums.rows > 0; });
  std::sort(taken.begin(), taken.end(), [](const Slot& a, const Slot& b) { return a.id < b.id; });
  Writer w(out);
  std::uint64_t last = 0;
  for (const Slot& slot : taken) {
    w.varint(slot.id + std::uint64_t{1} - last);
    w.f32(slot.sums.rows);
    w.f32(slot.sums.labels);
    last = slot.id + std::uint64_t{1};
  }
  w.varint(0);
}

bool IdSums::restore(Reader& r) {
  std::uint64_t end = 0;  // one more than the id
  while (const std::uint64_t step = r.varint()) {
    end += step;
    const Sums sums{r.f32(), r.f32()};
    if (!r.ok() || end < step || end > mask_ + std::uint64_t{1} || !(sums.rows > 0) ||
        !std::isfinite(sums.rows + sums.labels)) {
      return false;
    }
    add(static_cast<std::uint32_t>(end - 1), sums);
  }
  return r.ok();
}

}  // namespace attune
