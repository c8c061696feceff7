#include "engine/replay.h"

#include "base/bytes.h"

namespace attune {
namespace {

constexpr Position kTrimEvery = 4096;

Status apply_sealed(Position at, const Record& record, const std::string& payload, State& state,
                    const ReplayHooks& hooks) {
  const Surrogate identity = record.surrogate;
  if (record.kind == Kind::kIdentity) {
    state.add_new(identity);
  } else if (record.kind == Kind::kEvent) {
    TRY(const StoredEvent decoded, decode_event(payload, record.received));
    TRY_OK(state.load(identity));
    state.event(at, identity, decoded.event);
  } else if (record.kind == Kind::kEvents) {
    TRY_OK(state.load(identity));
    TRY_OK(state.events(at, identity, payload, record.received));
  } else if (record.kind == Kind::kDecision) {
    TRY(const Decision decision, decode_decision(payload));
    TRY_OK(state.load(identity));
    if (hooks.decision) hooks.decision(at, identity, decision);
    state.decision(at, identity, decision);
  }
  return ok_status();
}

Status apply_plain(Position at, const Record& record, State& state, const ReplayHooks& hooks) {
  Reader in(record.payload);
  if (record.kind == Kind::kTick) {
    state.tick(in.u64(), record.received);
  } else if (record.kind == Kind::kOpen) {
    TRY(const Setup setup, decode_setup(record.payload));
    state.open(setup);
  } else if (record.kind == Kind::kLink || record.kind == Kind::kUnlink) {
    const Surrogate a{in.u64()};
    const Surrogate b{in.u64()};
    if (record.kind == Kind::kLink) state.link(at, a, b);
    if (record.kind == Kind::kUnlink) state.unlink(a, b);
  } else if (record.kind == Kind::kControl) {
    return state.control(std::span<const std::string>(&record.payload, 1), record.received);
  } else if (record.kind == Kind::kImport) {
    return state.import(at, record.payload, record.received);
  } else if (record.kind == Kind::kErase) {
    std::vector<Surrogate> erased;
    while (in.left() >= 8) erased.push_back(Surrogate{in.u64()});
    state.erase(erased);
    if (hooks.erased) hooks.erased(erased);
  }
  return ok_status();
}

}  // namespace

Status apply_opened(Position at, const Record& record, const std::string& payload, State& state,
                    const ReplayHooks& hooks) {
  if (raw(record.surrogate) == 0) return apply_plain(at, record, state, hooks);
  return apply_sealed(at, record, payload, state, hooks);
}

Status apply_record(const StoredRecord& stored, const Keyring& keyring, State& state,
                    const ReplayHooks& hooks) {
  const Record& record = stored.record;
  if (hooks.skips && record.kind != Kind::kTick && hooks.skips(stored.position)) {
    return ok_status();
  }
  if (record.kind == Kind::kEvent && record.id_hash != 0 && hooks.id) {
    hooks.id(record.id_hash, record.received);
  }
  if (raw(record.surrogate) == 0) return apply_plain(stored.position, record, state, hooks);
  auto payload = keyring.open(record);
  if (!payload.ok() && payload.error().code == Code::kNotFound) {
    if (hooks.unreadable) hooks.unreadable(record.kind);
    return ok_status();
  }
  if (!payload.ok()) return std::move(payload).error();
  return apply_sealed(stored.position, record, payload.value(), state, hooks);
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
