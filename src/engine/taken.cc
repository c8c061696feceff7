#include "engine/taken.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <unordered_map>

#include "collect/segment.h"
#include "engine/imports.h"
#include "engine/setup.h"
#include "event/event.h"
#include "journal/journal.h"
#include "journal/keyring.h"
#include "profile/profile.h"
#include "profile/store.h"

namespace attune {
namespace {

constexpr std::size_t kMostOfOne = 1000;

class Reading {
 public:
  Status open(const std::string& workspace) {
    TRY(journal_, open_journal_reader(workspace + "/journal"));
    TRY(keyring_, open_keyring_reader(workspace + "/keys"));
    const std::string path = workspace + "/base.db";
    if (!std::filesystem::exists(path)) return ok_status();
    TRY(base_, open_sqlite_reader(path));
    TRY(const std::string setup, base_->load_fold("setup"));
    if (!setup.empty()) {
      TRY(setup_, decode_setup(setup));
    }
    TRY(const std::string imports, base_->load_fold("imports"));
    if (!imports.empty()) {
      TRY(imports_, Imports::decode(imports));
    }
    return ok_status();
  }

  Status read() {
    TRY(const auto cursor, journal_->read(journal_->first()));
    while (true) {
      TRY(const auto stored, cursor->next());
      if (!stored) return ok_status();
      const Record& record = stored->record;
      if (record.kind == Kind::kOpen) {
        TRY(setup_, decode_setup(record.payload));
      } else if (record.kind == Kind::kEvent || record.kind == Kind::kEvents) {
        if (!is_undone(stored->position)) TRY_OK(take(record));
      }
    }
  }

  // In the order of surrogates, so that the same journal gives the same numbers.
  Taken taken() const {
    Taken out;
    std::unordered_map<ItemKey, std::uint32_t, IdHash> numbers;
    for (const auto& [who, one] : persons_) {
      if (is_refusal(one.denied) || one.items.empty()) continue;
      auto& row = out.rows.emplace_back();
      for (const ItemKey item : one.items) {
        const auto next = static_cast<std::uint32_t>(out.items.size());
        const auto [at, is_new] = numbers.try_emplace(item, next);
        if (is_new) out.items.push_back(item);
        row.push_back(at->second);
      }
      std::sort(row.begin(), row.end());
      row.erase(std::unique(row.begin(), row.end()), row.end());
      out.pairs += row.size();
    }
    return out;
  }

 private:
  struct Person {
    std::uint8_t denied = 0;
    std::deque<ItemKey> items;  // newest last
  };

  static bool is_refusal(std::uint8_t denied) {
    return (denied & static_cast<std::uint8_t>(Purpose::kPersonalization)) != 0;
  }

  // An undo is a cut, so the base knows them all.
  bool is_undone(Position at) const {
    const auto holds = [at](const auto& block) { return block.first <= at && at <= block.second; };
    return std::any_of(imports_.all().begin(), imports_.all().end(), [&](const Import& one) {
      return one.is_undone && std::any_of(one.blocks.begin(), one.blocks.end(), holds);
    });
  }

  Status take(const Record& record) {
    const auto payload = keyring_->open(record);
    if (!payload.ok() && payload.error().code == Code::kNotFound) return ok_status();  // erased
    if (!payload.ok()) return payload.error();
    TRY(Person* const person, person_of(record.surrogate));
    StoredEvent stored;
    if (record.kind == Kind::kEvent) {
      TRY_OK(decode_event(*payload, record.received, stored));
      note(stored.event, *person);
      return ok_status();
    }
    EventListReader list(*payload, record.received);
    while (true) {
      TRY(const bool is_there, list.next(stored));
      if (!is_there) return ok_status();
      note(stored.event, *person);
    }
  }

  // With what it refused before the journal begins.
  Result<Person*> person_of(Surrogate who) {
    const auto [at, is_new] = persons_.try_emplace(who);
    Person& person = at->second;
    if (!is_new) return &person;
    person.denied = setup_.denied_by_default;
    if (!base_) return &person;
    TRY(const std::string sealed, base_->load(who));
    const Record record{.kind = Kind::kStored, .received = {}, .surrogate = who, .payload = sealed};
    Profile profile;
    const auto plain = keyring_->open(record);
    if (!sealed.empty() && plain.ok() && Profile::decode(*plain, profile).ok()) {
      person.denied = profile.denied_purposes;
    }
    return &person;
  }

  static void note(const Event& event, Person& person) {
    bool has_consent = false;
    const std::uint8_t said = denied_purposes_of(event.context, has_consent);
    if (has_consent) person.denied = said;
    if (event.item_id.empty() || !is_engagement(event.verb) || is_refusal(person.denied)) return;
    person.items.push_back(item_key(event.item_id));
    if (person.items.size() > kMostOfOne) person.items.pop_front();
  }

  std::unique_ptr<JournalReader> journal_;
  std::unique_ptr<const Keyring> keyring_;
  std::unique_ptr<ProfileStore> base_;  // null: the journal is whole
  Setup setup_;
  Imports imports_;
  std::map<Surrogate, Person> persons_;
};

}  // namespace

Result<Taken> read_taken(const std::string& workspace) {
  Reading reading;
  TRY_OK(reading.open(workspace));
  TRY_OK(reading.read());
  return reading.taken();
}

}  // namespace attune
