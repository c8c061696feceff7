// The path of a decision: person, published version, slate, record, effects.
#include <fmt/format.h>

#include "engine/workspace.h"
#include "event/decision_id.h"

namespace attune {
namespace {

constexpr Duration kClockSlack = std::chrono::minutes(2);  // between an id's time and its record's

}  // namespace

std::optional<Surrogate> Workspace::find_person(const std::string& id) const {
  if (const auto user = keyring_->find(IdType::kUser, id)) return user;
  return keyring_->find(IdType::kAnonymous, id);
}

Result<Decision> Workspace::decide(const DecideRequest& request) {
  if (!is_valid_external_id(request.person_id)) {
    return Error{Code::kInvalid, "person: must be a text of 1 to 256 bytes", "person",
                 "send the user id or the anonymous id"};
  }
  Batch created;
  auto found = find_person(request.person_id);
  if (!found) {
    TRY(found, identity(IdType::kUser, request.person_id, received_now(), created));
  }
  std::unique_lock lock(mutex_);
  if (is_closed_) return Error{Code::kUnavailable, "the workspace is closed"};
  for (const Surrogate newcomer : created.newcomers) state_.add_new(newcomer);
  const Surrogate first = state_.graph().members(*found).front();
  lock.unlock();
  const std::scoped_lock one_at_a_time(person_mutex_[raw(first) % person_mutex_.size()]);
  TRY(Decision decision, choose(request, *found, first));
  TRY_OK(record(decision, *found, created));
  return decision;
}

Result<Decision> Workspace::choose(const DecideRequest& request, Surrogate who, Surrogate first) {
  std::unique_lock lock(mutex_);
  TRY_OK(state_.load(who));
  const Profile person = state_.person(who);
  const auto published = state_.published();
  const Time time = now_locked();
  lock.unlock();
  Rng rng(mix64(seed_, decisions_.fetch_add(1)));
  std::string id = new_decision_id(time, rng);
  const Placement& placement = published->catalog->placement(request.placement);
  return attune::decide(request, person, person.position != 0, raw(first), placement, *published,
                        time, rng, std::move(id));
}

// A decision is answered even when it can no longer be recorded: it then says so.
Status Workspace::record(Decision& decision, Surrogate who, Batch& created) {
  Record record{.kind = Kind::kDecision,
                .received = decision.time,
                .surrogate = who,
                .id_hash = keyring_->id_hash(decision.id),
                .payload = {}};
  encode_decision(decision, record.payload);
  TRY_OK(keyring_->seal(record));
  const std::scoped_lock lock(mutex_);
  if (is_closed_) return Error{Code::kUnavailable, "the workspace is closed"};
  created.created.push_back(std::move(record));
  const auto at = journal_->append(created.created);
  if (!at.ok()) {
    decision.is_recorded = false;
    ++counts_.unrecorded_decisions;
    return ok_status();
  }
  TRY_OK(state_.load(who));
  state_.decision(*at, who, decision);
  ++counts_.decisions;
  return ok_status();
}

// A decision id holds its time, so finding its record is a seek; should the clock have been set
// since, the whole journal is searched.
Result<Decision> Workspace::find_decision(const std::string& id) {
  TRY_OK(journal_->flush());
  const std::uint64_t wanted = keyring_->id_hash(id);
  const auto time = decision_time(id);
  for (const bool is_seek : {true, false}) {
    if (is_seek && !time) continue;
    TRY(const auto cursor,
        is_seek ? journal_->read_at_time(*time - kClockSlack) : journal_->read(journal_->first()));
    while (true) {
      TRY(const auto stored, cursor->next());
      if (!stored || (is_seek && stored->record.received > *time + kClockSlack)) break;
      const Record& record = stored->record;
      if (record.kind != Kind::kDecision || record.id_hash != wanted) continue;
      TRY(const std::string payload, keyring_->open(record));
      return decode_decision(payload);
    }
  }
  return Error{Code::kNotFound, "no decision " + id, "id",
               "ids begin with d_ and have 28 characters"};
}

}  // namespace attune
