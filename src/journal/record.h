// Record: one entry of the journal. The header is clear; the payload is sealed under a person's key
// (kinds that concern a person) or plain (ticks, control records).
#pragma once
#include <cstdint>
#include <string>

#include "base/time.h"
#include "event/id.h"

namespace attune {

enum class Kind : std::uint8_t {
  kTick = 1,     // payload: u64 number; header.received = the clock reading
  kIdentity,     // payload sealed: u8 id type (0 user, 1 anonymous), external id
  kLink,         // payload: two u64 surrogates that are one person from here on
  kEvent,        // payload sealed: encode_event
  kDecision,     // payload sealed: encode_decision; id_hash = keyed hash of the decision id
  kControl,      // payload: a change of the catalog, JSON
  kErase,        // payload: u64 surrogates whose keys were destroyed
  kUnlink,       // payload: two u64 surrogates, the link between them is dropped
  kOpen,         // payload: the settings in effect from here on, JSON
  kEvents,       // payload sealed: write_event_list: several events of an import
  kImport,       // payload: how far an import of a file is, JSON (engine/imports.h)
  kStored = 62,  // no record of the journal: what seals stored profiles
};

struct Record {
  Kind kind = Kind::kTick;
  Time received{};
  Surrogate surrogate{};      // whose key seals the payload; 0 = not sealed
  std::uint64_t id_hash = 0;  // keyed hash of message or decision id; 0 = none
  std::string payload;
};

}  // namespace attune
