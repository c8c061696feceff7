// Replay: records of the journal into a State, in order.
#pragma once
#include <unordered_map>

#include "engine/state.h"
#include "journal/journal.h"
#include "journal/keyring.h"

namespace attune {

// Called for each event record with its id hash and received time (fills the idempotency window).
using SeenId = std::function<void(std::uint64_t id_hash, Time received)>;

// Opens the payload and applies it. Records of a destroyed key are left out.
Status apply_record(const StoredRecord& stored, const Keyring& keyring, State& state,
                    const SeenId& seen);
// Applies everything from the first record on.
Status replay(Journal& journal, const Keyring& keyring, State& state, const SeenId& seen);

}  // namespace attune
