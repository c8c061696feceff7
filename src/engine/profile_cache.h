// ProfileCache: encoded profiles in memory, over whatever load() reads them from. A profile changed
// since the last finished checkpoint stays in memory; any other may be dropped to keep the limit
// and is loaded again when it is wanted. A checkpoint sees every profile as it was when it began,
// while changes go on. One caller at a time.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/id.h"

namespace attune {

class ProfileCache {
 public:
  using Load = std::function<Result<std::string>(Surrogate)>;  // "" = there is none
  using Visit = std::function<void(Surrogate, std::string_view)>;

  explicit ProfileCache(Load load = nullptr) : load_(std::move(load)) {}
  ProfileCache(ProfileCache&&) noexcept = default;

  // Makes the profile resident; it stays so until the next trim(). The only call that can fail.
  Status load(Surrogate identity);
  // Of an identity that cannot be stored yet: spares load() the look.
  void add_new(Surrogate identity);
  // The resident bytes, valid until the next change; "" = none.
  std::string_view find(Surrogate identity) const;
  void put(Surrogate identity, std::string_view bytes);  // "" removes at the next checkpoint
  // Drops unchanged profiles, those not wanted lately first, until the limit is kept.
  // False when too much is changed for that: then a checkpoint is due.
  bool trim();
  void set_limit(std::size_t bytes) { limit_ = bytes; }  // 0 = none

  // A checkpoint: everything changed until now. take() hands it out piece by piece.
  void begin_checkpoint();
  bool take(std::size_t most, std::vector<std::pair<Surrogate, std::string>>& out);
  void end_checkpoint(bool is_stored);

  void each_resident(const Visit& visit) const;
  bool is_resident(Surrogate identity) const { return slot_of(identity) != nullptr; }
  std::size_t resident() const { return used_; }
  std::size_t changed() const { return changed_.size(); }
  std::size_t memory_bytes() const;

 private:
  // Epochs are the times between the beginnings of checkpoints, from 1: so that one begins and ends
  // without a look at each profile.
  using Epoch = std::uint32_t;
  struct Entry {           // followed by `capacity` bytes: one allocation per profile
    Epoch changed_in = 0;  // 0 = never: as in the store
    Epoch taken_in = 0;    // by the checkpoint that began this epoch
    std::uint32_t size = 0;
    std::uint32_t capacity : 31 = 0;
    std::uint32_t is_wanted : 1 = 1;  // since the hand last passed
    char* data() { return reinterpret_cast<char*>(this + 1); }
    std::string_view bytes() { return {data(), size}; }
  };
  struct Free {
    void operator()(Entry* entry) const { ::operator delete(entry); }
  };
  using EntryPtr = std::unique_ptr<Entry, Free>;
  struct Slot {
    Surrogate key{};
    EntryPtr entry;
  };
  static EntryPtr make_entry(std::size_t capacity);
  static std::size_t size_of(const Entry& entry);
  // Changed before the checkpoint under way began, and still to be handed out.
  bool is_frozen(const Entry& entry) const;
  bool is_stored(const Entry& entry) const { return entry.changed_in <= stored_in_; }
  const Slot* slot_of(Surrogate identity) const;
  Slot& place(Surrogate identity);
  Slot& insert(Surrogate identity, std::string_view bytes);
  void erase(std::size_t index);
  void grow();

  Load load_;
  std::vector<Slot> slots_;  // linear probing; surrogates are random, so they are their own hash
  std::size_t used_ = 0;
  std::size_t bytes_ = 0;  // of entries
  std::size_t limit_ = 0;
  std::size_t hand_ = 0;
  Epoch epoch_ = 1;
  Epoch stored_in_ = 0;  // what changed up to this epoch is in the store
  bool is_under_way_ = false;
  std::vector<Surrogate> changed_;                           // in this epoch
  std::vector<Surrogate> frozen_;                            // of the checkpoint under way
  std::size_t taken_ = 0;                                    // of frozen_
  std::vector<std::pair<Surrogate, std::string>> replaced_;  // frozen bytes that changed meanwhile
};

}  // namespace attune
