#include "engine/profile_cache.h"

#include <algorithm>
#include <utility>

namespace attune {
namespace {

constexpr std::size_t kFirstSlots = 1024;
constexpr std::size_t kSlack = 24;  // an event makes a profile a little longer

std::size_t slot_index(Surrogate s, std::size_t slots) { return raw(s) & (slots - 1); }

}  // namespace

ProfileCache::EntryPtr ProfileCache::make_entry(std::size_t capacity) {
  auto* const entry = new (::operator new(sizeof(Entry) + capacity)) Entry;
  entry->capacity = static_cast<std::uint32_t>(capacity) & 0x7fff'ffffU;
  return EntryPtr(entry);
}

// Rounded as glibc rounds.
std::size_t ProfileCache::size_of(const Entry& entry) {
  return (sizeof(Entry) + entry.capacity + 8 + 15) / 16 * 16;
}

std::size_t ProfileCache::memory_bytes() const {
  return bytes_ + slots_.capacity() * sizeof(Slot) +
         (changed_.capacity() + frozen_.capacity()) * sizeof(Surrogate);
}

bool ProfileCache::is_frozen(const Entry& entry) const {
  return is_under_way_ && !is_stored(entry) && entry.changed_in < epoch_ &&
         entry.taken_in != epoch_;
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

ProfileCache::Slot& ProfileCache::insert(Surrogate identity, std::string_view bytes) {
  if ((used_ + 1) * 5 > slots_.size() * 4) grow();
  Slot& slot = place(identity);
  slot.key = identity;
  slot.entry = make_entry(bytes.size());
  slot.entry->size = slot.entry->capacity;
  std::copy(bytes.begin(), bytes.end(), slot.entry->data());
  ++used_;
  bytes_ += size_of(*slot.entry);
  return slot;
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
    slot->entry->is_wanted = 1;
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
  return slot ? slot->entry->bytes() : std::string_view();
}

void ProfileCache::put(Surrogate identity, std::string_view bytes) {
  if (slot_of(identity) == nullptr) insert(identity, {});
  EntryPtr& entry = place(identity).entry;
  if (is_frozen(*entry)) replaced_.emplace_back(identity, entry->bytes());
  if (entry->changed_in != epoch_) changed_.push_back(identity);
  if (entry->capacity < bytes.size()) {
    bytes_ -= size_of(*entry);
    entry = make_entry(bytes.size() + kSlack);
    bytes_ += size_of(*entry);
  }
  entry->changed_in = epoch_;
  entry->is_wanted = 1;
  entry->size = static_cast<std::uint32_t>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), entry->data());
}

bool ProfileCache::trim() {
  if (limit_ == 0) return true;
  for (std::size_t looked = 0; memory_bytes() > limit_; ++looked) {
    if (looked > 2 * slots_.size()) return false;  // twice round: nothing may be dropped
    if (hand_ >= slots_.size()) hand_ = 0;
    const auto& entry = slots_[hand_].entry;
    if (!entry || !is_stored(*entry)) {
      ++hand_;
    } else if (entry->is_wanted != 0) {
      entry->is_wanted = 0;
      ++hand_;
    } else {
      erase(hand_);  // what moved into the hole is looked at next
    }
  }
  return true;
}

void ProfileCache::begin_checkpoint() {
  frozen_ = std::exchange(changed_, {});
  taken_ = 0;
  ++epoch_;
  is_under_way_ = true;
}

bool ProfileCache::take(std::size_t most, std::vector<std::pair<Surrogate, std::string>>& out) {
  out.clear();
  out.swap(replaced_);
  for (; taken_ < frozen_.size() && out.size() < most; ++taken_) {
    const Slot* slot = slot_of(frozen_[taken_]);
    if (slot == nullptr || !is_frozen(*slot->entry)) continue;
    slot->entry->taken_in = epoch_;
    out.emplace_back(slot->key, slot->entry->bytes());
  }
  return !out.empty();
}

// What was not stored is changed still: the next checkpoint takes it, as it is by then.
void ProfileCache::end_checkpoint(bool is_stored_now) {
  is_under_way_ = false;
  if (is_stored_now) stored_in_ = epoch_ - 1;
  for (std::size_t i = 0; !is_stored_now && i < frozen_.size(); ++i) {
    const Slot* slot = slot_of(frozen_[i]);
    if (slot == nullptr || is_stored(*slot->entry) || slot->entry->changed_in == epoch_) continue;
    slot->entry->changed_in = epoch_;
    changed_.push_back(frozen_[i]);
  }
  frozen_ = {};
  replaced_ = {};
}

void ProfileCache::each_resident(const Visit& visit) const {
  for (const Slot& slot : slots_) {
    if (slot.entry) visit(slot.key, slot.entry->bytes());
  }
}

}  // namespace attune
