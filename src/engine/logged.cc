// What the journal tells: decisions with what came of them, for export; engagements, for
// evaluation.
#include "base/bytes.h"
#include "base/id_set.h"
#include "engine/workspace.h"
#include "profile/profile.h"

namespace attune {
namespace {

std::uint64_t answer_key(std::string_view decision_id, std::string_view item_id) {
  return std::max<std::uint64_t>(mix64(hash64(decision_id), hash64(item_id)), 1);
}

// The events of a record of either kind.
Status each_event(const Record& record, const std::string& payload,
                  const std::function<void(const Event&)>& use) {
  StoredEvent stored;
  if (record.kind == Kind::kEvent) {
    TRY_OK(decode_event(payload, record.received, stored));
    use(stored.event);
    return ok_status();
  }
  EventListReader list(payload, record.received);
  while (true) {
    TRY(const bool is_there, list.next(stored));
    if (!is_there) return ok_status();
    use(stored.event);
  }
}

}  // namespace

// The records of these kinds that can be read and are not undone.
Status Workspace::each_readable(
    std::initializer_list<Kind> kinds,
    const std::function<Status(const Record&, const std::string& payload)>& use) {
  TRY(const auto cursor, journal_->read(journal_->first()));
  Position last = 0;
  return each_readable(*cursor, last, kinds, use);
}

Status Workspace::each_readable(
    JournalCursor& cursor, Position& last, std::initializer_list<Kind> kinds,
    const std::function<Status(const Record&, const std::string& payload)>& use) {
  while (true) {
    TRY(const auto stored, cursor.next());
    if (!stored) return ok_status();
    last = stored->position;
    const Record& record = stored->record;
    if (std::find(kinds.begin(), kinds.end(), record.kind) == kinds.end()) continue;
    if (is_undone(stored->position)) continue;
    auto payload = keyring_->open(record);
    if (!payload.ok() && payload.error().code == Code::kNotFound) continue;  // erased
    if (!payload.ok()) return std::move(payload).error();
    TRY_OK(use(record, *payload));
  }
}

Status Workspace::logged_decisions(
    const std::function<void(const Decision&, std::uint64_t, const std::vector<bool>&)>& use) {
  TRY_OK(journal_->flush());
  IdSet answered;
  const auto note = [&](const Event& event) {
    if (event.decision_id.empty() || !is_engagement(event.verb)) return;
    answered.insert(answer_key(event.decision_id, event.item_id));
  };
  TRY_OK(each_readable({Kind::kEvent, Kind::kEvents},
                       [&](const Record& record, const std::string& payload) {
                         return each_event(record, payload, note);
                       }));
  return each_readable(
      {Kind::kDecision}, [&](const Record& record, const std::string& payload) -> Status {
        TRY(const Decision decision, decode_decision(payload));
        std::vector<bool> is_answered;
        for (const ShownItem& shown : decision.shown) {
          is_answered.push_back(answered.contains(answer_key(decision.id, shown.item_id)));
        }
        use(decision, number_of(record.surrogate), is_answered);
        return ok_status();
      });
}

// until: the last record read before, 0 = none: then it begins at `since`. Becomes the last read
// now.
Status Workspace::logged_from(Time since, Position& until,
                              const std::function<void(const Decision&, std::uint64_t)>& decision,
                              const std::function<void(const Event&)>& engagement) {
  TRY_OK(journal_->flush());
  TRY(const auto cursor, until == 0 ? journal_->read_at_time(since) : journal_->read(until + 1));
  return each_readable(*cursor, until, {Kind::kDecision, Kind::kEvent, Kind::kEvents},
                       [&](const Record& record, const std::string& payload) -> Status {
                         if (record.kind == Kind::kDecision) {
                           TRY(const Decision made, decode_decision(payload));
                           decision(made, number_of(record.surrogate));
                           return ok_status();
                         }
                         return each_event(record, payload, [&](const Event& event) {
                           if (!event.decision_id.empty() && is_engagement(event.verb))
                             engagement(event);
                         });
                       });
}

Status Workspace::engagements(const std::function<void(std::uint64_t, const Event&)>& use) {
  TRY_OK(journal_->flush());
  return each_readable({Kind::kEvent, Kind::kEvents},
                       [&](const Record& record, const std::string& payload) {
                         const std::uint64_t person = number_of(record.surrogate);
                         return each_event(record, payload, [&](const Event& event) {
                           if (is_engagement(event.verb) && !event.item_id.empty()) {
                             use(person, event);
                           }
                         });
                       });
}

std::optional<std::uint64_t> Workspace::person_number(IdType type, std::string_view id) const {
  const auto known = keyring_->find(type, id);
  if (!known) return std::nullopt;
  return number_of(*known);
}

// Linked identities have the number of the first of them.
std::uint64_t Workspace::number_of(Surrogate any) const {
  const std::scoped_lock lock(mutex_);
  return raw(state_.graph().members(any).front());
}

}  // namespace attune
