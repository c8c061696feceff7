// Replay: records of the journal into a State, in order.
#pragma once
#include <functional>

#include "engine/state.h"
#include "journal/journal.h"
#include "journal/keyring.h"

namespace attune {

struct ReplayHooks {
  // An event record with an id: fills the window of message ids.
  std::function<void(std::uint64_t id_hash, Time received)> id = nullptr;
  std::function<void(std::span<const Surrogate>)> erased = nullptr;
  // A decision, before it is folded; its identity is loaded.
  std::function<void(Position, Surrogate, const Decision&)> decision = nullptr;
  std::function<void(Kind)> unreadable = nullptr;  // a record whose key is destroyed
  // Records that are left out, as if they had never been: an import that is undone.
  std::function<bool(Position)> skips = nullptr;
};

// Applies a record whose payload is plain or, when sealed, was opened: `payload`. Its identity is
// loaded here.
Status apply_opened(Position at, const Record& record, const std::string& payload, State& state,
                    const ReplayHooks& hooks);
// Opens the payload and applies it. Records of a destroyed key are left out.
Status apply_record(const StoredRecord& stored, const Keyring& keyring, State& state,
                    const ReplayHooks& hooks);
struct ReplayRange {
  Position from = 1, to = 0;  // both included
};
// Applies the records; the last position applied, from - 1 if none.
Result<Position> replay(Journal& journal, const Keyring& keyring, ReplayRange range, State& state,
                        const ReplayHooks& hooks);

}  // namespace attune
