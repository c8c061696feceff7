#include "engine/replay.h"

#include "base/bytes.h"

namespace attune {
namespace {

constexpr Position kTrimEvery = 4096;

Status apply_sealed(const StoredRecord& stored, const std::string& payload, State& state,
                    const ReplayHooks& hooks) {
  const Record& record = stored.record;
  if (record.kind == Kind::kIdentity) {
    state.add_new(record.surrogate);
  } else if (record.kind == Kind::kEvent) {
    TRY(StoredEvent decoded, decode_event(payload, record.received));
    TRY_OK(state.load(record.surrogate));
    state.event(stored.position, record.surrogate, std::move(decoded.event));
  } else if (record.kind == Kind::kDecision) {
    TRY(const Decision decision, decode_decision(payload));
    TRY_OK(state.load(record.surrogate));
    if (hooks.decision) hooks.decision(stored.position, record.surrogate, decision);
    state.decision(stored.position, record.surrogate, decision);
  }
  return ok_status();
}

Status apply_plain(const StoredRecord& stored, State& state, const ReplayHooks& hooks) {
  const Record& record = stored.record;
  Reader in(record.payload);
  if (record.kind == Kind::kTick) {
    state.tick(in.u64(), record.received);
  } else if (record.kind == Kind::kOpen) {
    TRY(const Setup setup, decode_setup(record.payload));
    state.open(setup);
  } else if (record.kind == Kind::kLink || record.kind == Kind::kUnlink) {
    const Surrogate a{in.u64()};
    const Surrogate b{in.u64()};
    if (record.kind == Kind::kLink) state.link(stored.position, a, b);
    if (record.kind == Kind::kUnlink) state.unlink(a, b);
  } else if (record.kind == Kind::kControl) {
    return state.control(std::span<const std::string>(&record.payload, 1), record.received);
  } else if (record.kind == Kind::kErase) {
    std::vector<Surrogate> erased;
    while (in.left() >= 8) erased.push_back(Surrogate{in.u64()});
    state.erase(erased);
    if (hooks.erased) hooks.erased(erased);
  }
  return ok_status();
}

}  // namespace

Status apply_record(const StoredRecord& stored, const Keyring& keyring, State& state,
                    const ReplayHooks& hooks) {
  const Record& record = stored.record;
  if (record.kind == Kind::kEvent && record.id_hash != 0 && hooks.id) {
    hooks.id(record.id_hash, record.received);
  }
  if (raw(record.surrogate) == 0) return apply_plain(stored, state, hooks);
  auto payload = keyring.open(record);
  if (!payload.ok() && payload.error().code == Code::kNotFound) {
    if (hooks.unreadable) hooks.unreadable(record.kind);
    return ok_status();
  }
  if (!payload.ok()) return std::move(payload).error();
  return apply_sealed(stored, payload.value(), state, hooks);
}

Result<Position> replay(Journal& journal, const Keyring& keyring, ReplayRange range, State& state,
                        const ReplayHooks& hooks) {
  Position last = range.from - 1;
  if (range.from > range.to) return last;
  TRY(const auto cursor, journal.read(range.from));
  while (last < range.to) {
    TRY(const auto stored, cursor->next());
    if (!stored) break;
    TRY_OK(apply_record(*stored, keyring, state, hooks));
    last = stored->position;
    if (last % kTrimEvery == 0) (void)state.trim();
  }
  return last;
}

}  // namespace attune
