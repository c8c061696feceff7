#include "engine/observe.h"

#include <algorithm>
#include <filesystem>

#include "engine/setup.h"
#include "journal/journal.h"
#include "journal/keyring.h"
#include "profile/store.h"

namespace attune {
namespace {

class Reading {
 public:
  explicit Reading(const Observer& observer) : observer_(observer) {}
  const Observed& observed() const { return out_; }
  bool is_enough() const {
    return observer_.most > 0 && out_.events + out_.decisions >= observer_.most;
  }
  void add_erased() { ++out_.erased; }

  Status open(const Record& record) {
    TRY(const Setup setup, decode_setup(record.payload));
    clock_ = setup.clock;
    return ok_status();
  }

  Status take(const Record& record, const std::string& payload) {
    if (record.kind == Kind::kDecision) return take_decision(payload);
    const bool is_imported = record.kind == Kind::kEvents;
    if (!is_imported) {
      TRY_OK(decode_event(payload, record.received, stored_));
      say(record, false);
      return ok_status();
    }
    EventListReader list(payload, record.received);
    while (!is_enough()) {
      TRY(const bool is_there, list.next(stored_));
      if (!is_there) break;
      say(record, true);
    }
    return ok_status();
  }

 private:
  void say(const Record& record, bool is_imported) {
    ++out_.events;
    if (!observer_.event) return;
    observer_.event({stored_.event, record.received, record.surrogate, is_imported, clock_});
  }
  Status take_decision(const std::string& payload) {
    ++out_.decisions;
    if (!observer_.decision) return ok_status();
    TRY(const Decision decision, decode_decision(payload));
    observer_.decision(decision);
    return ok_status();
  }

  const Observer& observer_;
  Observed out_;
  StoredEvent stored_;
  Clock clock_ = Clock::kWall;
};

}  // namespace

Result<Observed> observe(const std::string& workspace, const Observer& observer) {
  TRY(const auto journal, open_journal_reader(workspace + "/journal"));
  TRY(const auto keyring, open_keyring_reader(workspace + "/keys"));
  TRY(const auto cursor, journal->read(journal->first()));
  Reading reading(observer);
  while (true) {
    TRY(const auto stored, cursor->next());
    if (!stored || reading.is_enough()) return reading.observed();
    const Record& record = stored->record;
    if (record.kind == Kind::kOpen) TRY_OK(reading.open(record));
    const bool is_seen = record.kind == Kind::kEvent || record.kind == Kind::kEvents ||
                         record.kind == Kind::kDecision;
    if (!is_seen) continue;
    const auto payload = keyring->open(record);
    if (payload.ok()) {
      TRY_OK(reading.take(record, *payload));
    } else if (payload.error().code == Code::kNotFound) {
      reading.add_erased();
    } else {
      return payload.error();
    }
  }
}

Result<Catalog> observe_catalog(const std::string& workspace) {
  TRY(const auto journal, open_journal_reader(workspace + "/journal"));
  Catalog catalog;
  Position from = journal->first();
  const std::string base = workspace + "/base.db";
  if (std::filesystem::exists(base)) {
    TRY(const auto store, open_sqlite_reader(base));
    TRY(const std::string bytes, store->load_fold("catalog"));
    if (!bytes.empty()) {
      TRY(catalog, Catalog::decode(bytes));
    }
    from = std::max(from, store->position() + 1);
  }
  TRY(const auto cursor, journal->read(from));
  while (true) {
    TRY(const auto stored, cursor->next());
    if (!stored) return catalog;
    if (stored->record.kind != Kind::kControl || stored->position < from) continue;
    TRY_OK(catalog.apply(stored->record.payload, stored->record.received));
  }
}

}  // namespace attune
