// The path of a decision: person, published version, slate, record, effects.
#include <fmt/format.h>

#include "engine/workspace.h"
#include "event/decision_id.h"

namespace attune {
namespace {

constexpr int kAttempts = 4;  // at a decision; the last one keeps all else waiting
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
  Batch created = new_batch();
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
  return decide_and_record(request, *found, created);
}

Result<Workspace::Basis> Workspace::basis_of(Surrogate who) {
  if (is_closed_) return Error{Code::kUnavailable, "the workspace is closed"};
  TRY_OK(state_.load(who));
  return Basis{state_.person(who), state_.graph().members(who), state_.published(), now_locked(),
               state_.folds().setup.zone};
}

// Any record of the person raises the position of the profile it changes.
Result<bool> Workspace::is_current(const Basis& basis, Surrogate who) {
  if (is_closed_) return Error{Code::kUnavailable, "the workspace is closed"};
  TRY_OK(state_.load(who));
  return basis.published == state_.published() && basis.members == state_.graph().members(who) &&
         basis.person.position == state_.position_of(who);
}

Result<Decision> Workspace::choose(const DecideRequest& request, const Basis& basis) {
  Rng rng(mix64(seed_, decisions_.fetch_add(1)));
  std::string id = new_decision_id(basis.time, rng);
  const Published& published = *basis.published;
  const Placement& placement = published.catalog->placement(request.placement);
  DecideRequest placed = request;
  placed.utc_offset_s = static_cast<std::int32_t>(basis.zone->offset(basis.time).count());
  const Asker asker{basis.person, basis.person.position != 0, raw(basis.members.front()),
                    basis.members};
  return attune::decide(placed, asker, {placement, published, basis.time}, rng, std::move(id));
}

// What a decision was made of still stands when it is recorded, so that a replay finds it right
// before the record: should the person or the published version have changed meanwhile, it is made
// again, the last time under the lock.
Result<Decision> Workspace::decide_and_record(const DecideRequest& request, Surrogate who,
                                              Batch& created) {
  for (int left = kAttempts; left > 0; --left) {
    std::unique_lock lock(mutex_);
    TRY(const Basis basis, basis_of(who));
    if (left > 1) lock.unlock();
    TRY(Decision decision, choose(request, basis));
    auto sealed = seal_decision(decision, who);
    if (!lock.owns_lock()) lock.lock();
    TRY(const bool is_still, is_current(basis, who));
    if (!is_still) continue;
    TRY_OK(record(decision, who, std::move(sealed), created));
    return decision;
  }
  return Error{Code::kInternal, "a decision under the lock was overtaken"};
}

// kNotFound: the person was erased this moment.
Result<Record> Workspace::seal_decision(const Decision& decision, Surrogate who) const {
  Record record{.kind = Kind::kDecision,
                .received = decision.time,
                .surrogate = who,
                .id_hash = keyring_->id_hash(decision.id),
                .payload = {}};
  encode_decision(decision, record.payload);
  TRY_OK(keyring_->seal(record));
  return record;
}

// A decision is answered even when it can no longer be recorded: it then says so.
Status Workspace::record(Decision& decision, Surrogate who, Result<Record> sealed, Batch& created) {
  if (!sealed.ok() && sealed.error().code != Code::kNotFound) return std::move(sealed).error();
  decision.is_recorded = sealed.ok() && !is_gone(who, created);
  if (decision.is_recorded) {
    created.created.push_back(std::move(sealed).value());
    const auto at = journal_->append(created.created);
    decision.is_recorded = at.ok();
    if (at.ok()) state_.decision(*at, who, decision);
  }
  ++(decision.is_recorded ? counts_.decisions : counts_.unrecorded_decisions);
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
