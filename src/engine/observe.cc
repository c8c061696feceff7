#include "engine/observe.h"

#include "journal/journal.h"
#include "journal/keyring.h"

namespace attune {
namespace {

Status take(const Record& record, const std::string& payload, const Observer& observer,
            Observed& out) {
  if (record.kind == Kind::kEvent) {
    ++out.events;
    if (!observer.event) return ok_status();
    TRY(const StoredEvent stored, decode_event(payload, record.received));
    observer.event(stored.event, record.received);
    return ok_status();
  }
  ++out.decisions;
  if (!observer.decision) return ok_status();
  TRY(const Decision decision, decode_decision(payload));
  observer.decision(decision);
  return ok_status();
}

}  // namespace

Result<Observed> observe(const std::string& workspace, const Observer& observer) {
  TRY(const auto journal, open_journal_reader(workspace + "/journal"));
  TRY(const auto keyring, open_keyring_reader(workspace + "/keys"));
  TRY(const auto cursor, journal->read(journal->first()));
  Observed out;
  while (true) {
    TRY(const auto stored, cursor->next());
    const bool is_enough = observer.most > 0 && out.events + out.decisions >= observer.most;
    if (!stored || is_enough) return out;
    const Record& record = stored->record;
    if (record.kind != Kind::kEvent && record.kind != Kind::kDecision) continue;
    const auto payload = keyring->open(record);
    if (payload.ok()) {
      TRY_OK(take(record, *payload, observer, out));
    } else if (payload.error().code == Code::kNotFound) {
      ++out.erased;
    } else {
      return payload.error();
    }
  }
}

}  // namespace attune
