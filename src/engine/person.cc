// One person: what is stored, exported, unlinked.
#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "engine/workspace.h"
#include "event/event_json.h"
#include "profile/profile_json.h"

namespace attune {
namespace {

constexpr Position kFirstStretch = 16'384;  // records read back at first

// The events of a record of one, or of an import's list.
template <class Use>
Status each_event(const Record& record, const std::string& payload, const Use& use) {
  if (record.kind == Kind::kEvent) {
    TRY(StoredEvent decoded, decode_event(payload, record.received));
    use(decoded.event);
    return ok_status();
  }
  EventListReader list(payload, record.received);
  while (true) {
    StoredEvent stored;
    TRY(const bool is_there, list.next(stored));
    if (!is_there) return ok_status();
    use(stored.event);
  }
}

}  // namespace

Result<Surrogate> Workspace::require(IdType type, std::string_view id) const {
  if (const auto known = keyring_->find(type, id)) return *known;
  return Error{Code::kNotFound, "no such person in this workspace", "id",
               "nothing was ever stored under this id, or it was erased"};
}

Result<std::vector<Surrogate>> Workspace::members_of(IdType type, std::string_view id) {
  TRY(const Surrogate any, require(type, id));
  const std::scoped_lock lock(mutex_);
  return state_.graph().members(any);
}

// The person's events from..to, oldest first.
Status Workspace::events_between(std::span<const Surrogate> members, Position from, Position to,
                                 std::vector<Event>& out) {
  TRY(const auto cursor, journal_->read(from));
  while (true) {
    TRY(const auto stored, cursor->next());
    if (!stored || stored->position > to) return ok_status();
    const Record& record = stored->record;
    if (record.kind != Kind::kEvent && record.kind != Kind::kEvents) continue;
    if (!std::binary_search(members.begin(), members.end(), record.surrogate)) continue;
    if (is_undone(stored->position)) continue;
    TRY(const std::string payload, keyring_->open(record));
    TRY_OK(each_event(record, payload, [&](Event& event) { out.push_back(std::move(event)); }));
  }
}

// From the end backwards, in ever longer stretches: whoever was active lately costs little, the
// others a reading of the whole journal.
Result<std::vector<Event>> Workspace::events_of(IdType type, std::string_view id,
                                                std::size_t limit) {
  TRY(const std::vector<Surrogate> members, members_of(type, id));
  TRY_OK(journal_->flush());
  std::vector<Event> newest;
  Position stretch = kFirstStretch;
  for (Position to = journal_->end(); to >= journal_->first() && newest.size() < limit;) {
    const Position from = std::max(journal_->first(), to > stretch ? to - stretch + 1 : 1);
    std::vector<Event> found;
    TRY_OK(events_between(members, from, to, found));
    newest.insert(newest.end(), std::make_move_iterator(found.rbegin()),
                  std::make_move_iterator(found.rend()));
    to = from - 1;
    stretch *= 4;
  }
  if (newest.size() > limit) newest.resize(limit);
  return newest;
}

// Whether it is a record of an import that was undone.
bool Workspace::is_undone(Position at) const {
  const std::scoped_lock lock(mutex_);
  const auto holds = [at](const auto& block) { return block.first <= at && at <= block.second; };
  const auto& all = state_.folds().imports.all();
  return std::any_of(all.begin(), all.end(), [&](const Import& one) {
    return one.is_undone && std::any_of(one.blocks.begin(), one.blocks.end(), holds);
  });
}

Status Workspace::export_person(IdType type, std::string_view id,
                                const std::function<void(std::string_view line)>& sink) {
  TRY(const std::vector<Surrogate> members, members_of(type, id));
  TRY(const Profile profile, profile_of(type, id));
  sink(profile_json(profile, now()));
  TRY_OK(journal_->flush());
  TRY(const auto cursor, journal_->read(journal_->first()));
  while (true) {
    TRY(const auto stored, cursor->next());
    if (!stored) return ok_status();
    const Record& record = stored->record;
    if (!std::binary_search(members.begin(), members.end(), record.surrogate)) continue;
    if (is_undone(stored->position)) continue;
    if (record.kind == Kind::kEvent || record.kind == Kind::kEvents) {
      TRY(const std::string payload, keyring_->open(record));
      TRY_OK(each_event(record, payload, [&](Event& event) { sink(event_json(event)); }));
    } else if (record.kind == Kind::kDecision) {
      TRY(const std::string payload, keyring_->open(record));
      TRY(const Decision decision, decode_decision(payload));
      sink(decision_json(decision, true));
    }
  }
}

Result<Profile> Workspace::profile_of(IdType type, std::string_view id) {
  TRY(const Surrogate any, require(type, id));
  const std::scoped_lock lock(mutex_);
  TRY_OK(state_.load(any));
  return state_.person(any);
}

Status Workspace::unlink(std::string_view user_id, std::string_view anonymous_id) {
  TRY(const Surrogate a, require(IdType::kUser, user_id));
  TRY(const Surrogate b, require(IdType::kAnonymous, anonymous_id));
  {
    const std::scoped_lock lock(mutex_);
    if (is_closed_) return Error{Code::kUnavailable, "the workspace is closed"};
    Record record{.kind = Kind::kUnlink, .received = state_.clock(), .payload = {}};
    Writer writer(record.payload);
    writer.u64(raw(a));
    writer.u64(raw(b));
    TRY_OK(journal_->append({&record, 1}));
    state_.unlink(a, b);
  }
  return journal_->flush();
}

std::shared_ptr<const Catalog> Workspace::catalog() const {
  const std::scoped_lock lock(mutex_);
  return state_.catalog();
}

// Under the lock. All of them apply, or none is written; published by the next tick.
Status Workspace::append_control(const std::vector<std::string>& changes) {
  const Time received = now_locked();
  Catalog trial(*state_.catalog());
  for (const std::string& change : changes) TRY_OK(trial.apply(change, received));
  if (trial.plan() != state_.catalog()->plan()) TRY_OK(plan_of(trial));
  std::vector<Record> records;
  records.reserve(changes.size());
  for (const std::string& change : changes) {
    records.push_back({.kind = Kind::kControl, .received = received, .payload = change});
  }
  TRY_OK(journal_->append(records));
  state_.set_catalog(std::make_shared<const Catalog>(std::move(trial)));
  return ok_status();
}

Status Workspace::control(const std::vector<std::string>& changes) {
  {
    const std::scoped_lock lock(mutex_);
    if (is_closed_) return Error{Code::kUnavailable, "the workspace is closed"};
    TRY_OK(append_control(changes));
    TRY_OK(tick_locked(now_locked()));
  }
  return journal_->flush();
}

}  // namespace attune
