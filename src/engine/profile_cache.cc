#include "engine/profile_cache.h"

namespace attune {
namespace {

constexpr std::size_t kFirstSlots = 1024;
constexpr std::size_t kInString = 15;  // bytes a std::string holds without an allocation

std::size_t slot_index(Surrogate s, std::size_t slots) { return raw(s) & (slots - 1); }

}  // namespace

// What the allocator gives for the entry and its bytes, rounded as glibc rounds.
std::size_t ProfileCache::size_of(const Entry& entry) {
  const std::size_t own = (sizeof(Entry) + 8 + 15) / 16 * 16;
  const std::size_t capacity = entry.bytes.capacity();
  return capacity <= kInString ? own : own + (capacity + 1 + 8 + 15) / 16 * 16;
}

const ProfileCache::Slot* ProfileCache::slot_of(Surrogate identity) const {
  if (slots_.empty()) return nullptr;
  for (std::size_t i = slot_index(identity, slots_.size());; i = (i + 1) & (slots_.size() - 1)) {
    if (!slots_[i].entry) return nullptr;
    if (slots_[i].key == identity) return &slots_[i];
  }
}

ProfileCache::Slot& ProfileCache::place(Surrogate identity) {
  std::size_t i = slot_index(identity, slots_.size());
  while (slots_[i].entry && slots_[i].key != identity) i = (i + 1) & (slots_.size() - 1);
  return slots_[i];
}

void ProfileCache::grow() {
  std::vector<Slot> old(slots_.empty() ? kFirstSlots : slots_.size() * 2);
  old.swap(slots_);
  hand_ = 0;
  for (Slot& slot : old) {
    if (slot.entry) place(slot.key) = std::move(slot);
  }
}

ProfileCache::Entry& ProfileCache::insert(Surrogate identity, std::string_view bytes) {
  if ((used_ + 1) * 10 > slots_.size() * 7) grow();
  Slot& slot = place(identity);
  slot.key = identity;
  slot.entry = std::make_unique<Entry>();
  slot.entry->bytes = bytes;
  ++used_;
  bytes_ += size_of(*slot.entry);
  return *slot.entry;
}

// Moves later slots back so that no probe meets a hole before its key.
void ProfileCache::erase(std::size_t index) {
  bytes_ -= size_of(*slots_[index].entry);
  --used_;
  const std::size_t mask = slots_.size() - 1;
  slots_[index].entry.reset();
  std::size_t hole = index;
  for (std::size_t i = (index + 1) & mask; slots_[i].entry; i = (i + 1) & mask) {
    const std::size_t home = slot_index(slots_[i].key, slots_.size());
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    slots_[hole] = std::move(slots_[i]);
    hole = i;
  }
}

Status ProfileCache::load(Surrogate identity) {
  if (const Slot* slot = slot_of(identity)) {
    slot->entry->is_wanted = true;
    return ok_status();
  }
  if (!load_) {
    insert(identity, {});
    return ok_status();
  }
  TRY(const std::string bytes, load_(identity));
  insert(identity, bytes);
  return ok_status();
}

void ProfileCache::add_new(Surrogate identity) {
  if (slot_of(identity) == nullptr) insert(identity, {});
}

std::string_view ProfileCache::find(Surrogate identity) const {
  const Slot* slot = slot_of(identity);
  return slot ? std::string_view(slot->entry->bytes) : std::string_view();
}

void ProfileCache::put(Surrogate identity, std::string_view bytes) {
  const Slot* slot = slot_of(identity);
  Entry& entry = slot ? *slot->entry : insert(identity, {});
  bytes_ -= size_of(entry);
  if (entry.phase == Phase::kFrozen) replaced_.emplace_back(identity, std::move(entry.bytes));
  if (entry.phase != Phase::kChanged) changed_.push_back(identity);
  entry.phase = Phase::kChanged;
  entry.is_wanted = true;
  // Exact, not doubled as assign would: there are many of them.
  if (entry.bytes.capacity() < bytes.size()) {
    std::string exact;
    exact.reserve(bytes.size() + 24);
    entry.bytes.swap(exact);
  }
  entry.bytes.assign(bytes);
  bytes_ += size_of(entry);
}

bool ProfileCache::trim() {
  if (limit_ == 0) return true;
  for (std::size_t looked = 0; memory_bytes() > limit_; ++looked) {
    if (looked > 2 * slots_.size()) return false;  // twice round: nothing may be dropped
    if (hand_ >= slots_.size()) hand_ = 0;
    const auto& entry = slots_[hand_].entry;
    if (!entry || entry->phase != Phase::kStored) {
      ++hand_;
    } else if (entry->is_wanted) {
      entry->is_wanted = false;
      ++hand_;
    } else {
      erase(hand_);  // what moved into the hole is looked at next
    }
  }
  return true;
}

void ProfileCache::begin_checkpoint() {
  frozen_ = std::move(changed_);
  changed_.clear();
  taken_ = 0;
  for (const Surrogate identity : frozen_) {
    if (const Slot* slot = slot_of(identity)) slot->entry->phase = Phase::kFrozen;
  }
}

bool ProfileCache::take(std::size_t most, std::vector<std::pair<Surrogate, std::string>>& out) {
  out.clear();
  out.swap(replaced_);
  for (; taken_ < frozen_.size() && out.size() < most; ++taken_) {
    const Slot* slot = slot_of(frozen_[taken_]);
    if (slot == nullptr || slot->entry->phase != Phase::kFrozen) continue;
    slot->entry->phase = Phase::kTaken;
    out.emplace_back(slot->key, slot->entry->bytes);
  }
  return !out.empty();
}

// What was not stored is changed still: the next checkpoint takes it, as it is by then.
void ProfileCache::end_checkpoint(bool is_stored) {
  for (const Surrogate identity : frozen_) {
    const Slot* slot = slot_of(identity);
    if (slot == nullptr || slot->entry->phase == Phase::kChanged) continue;
    slot->entry->phase = is_stored ? Phase::kStored : Phase::kChanged;
    if (!is_stored) changed_.push_back(identity);
  }
  frozen_ = {};
  replaced_ = {};
}

void ProfileCache::each_resident(const Visit& visit) const {
  for (const Slot& slot : slots_) {
    if (slot.entry) visit(slot.key, slot.entry->bytes);
  }
}

}  // namespace attune
