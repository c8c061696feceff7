#include "engine/replay.h"

#include "base/bytes.h"

namespace attune {
namespace {

Status apply_sealed(const StoredRecord& stored, const std::string& payload, State& state) {
  const Record& record = stored.record;
  if (record.kind == Kind::kEvent) {
    TRY(const StoredEvent decoded, decode_event(payload, record.received));
    state.event(stored.position, record.surrogate, decoded.event);
  } else if (record.kind == Kind::kDecision) {
    TRY(const Decision decision, decode_decision(payload));
    state.decision(stored.position, record.surrogate, decision);
  }
  return ok_status();
}

Status apply_plain(const StoredRecord& stored, State& state) {
  const Record& record = stored.record;
  Reader in(record.payload);
  if (record.kind == Kind::kTick) {
    state.tick(in.u64(), record.received);
  } else if (record.kind == Kind::kLink || record.kind == Kind::kUnlink) {
    const Surrogate a{in.u64()};
    const Surrogate b{in.u64()};
    if (record.kind == Kind::kLink) state.link(stored.position, a, b);
    if (record.kind == Kind::kUnlink) state.unlink(a, b);
  } else if (record.kind == Kind::kControl) {
    return state.control(stored.position, record.payload, record.received);
  } else if (record.kind == Kind::kErase) {
    std::vector<Surrogate> erased;
    while (in.left() >= 8) erased.push_back(Surrogate{in.u64()});
    state.erase(erased);
  }
  return ok_status();
}

}  // namespace

Status apply_record(const StoredRecord& stored, const Keyring& keyring, State& state,
                    const SeenId& seen) {
  const Record& record = stored.record;
  if (record.kind == Kind::kEvent && record.id_hash != 0) seen(record.id_hash, record.received);
  if (raw(record.surrogate) == 0) return apply_plain(stored, state);
  auto payload = keyring.open(record);
  if (!payload.ok() && payload.error().code == Code::kNotFound) return ok_status();
  if (!payload.ok()) return std::move(payload).error();
  return apply_sealed(stored, payload.value(), state);
}

Status replay(Journal& journal, const Keyring& keyring, State& state, const SeenId& seen) {
  TRY(const auto cursor, journal.read(1));
  while (true) {
    TRY(const auto stored, cursor->next());
    if (!stored) return ok_status();
    TRY_OK(apply_record(*stored, keyring, state, seen));
  }
}

}  // namespace attune
