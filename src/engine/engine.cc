#include "engine/engine.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_set>

#include "base/bytes.h"
#include "base/json.h"
#include "collect/segment.h"
#include "engine/base_file.h"
#include "engine/replay.h"

namespace attune {
namespace {

constexpr Duration kIdWindow = std::chrono::hours(24 * 7);
constexpr std::size_t kIdWindowSize = 50'000'000;

// Message ids stored within the last 7 days of received time, as keyed hashes.
class IdWindow {
 public:
  bool contains(std::uint64_t id) const { return ids_.contains(id); }
  void insert(std::uint64_t id, Time received) {
    if (!ids_.insert(id).second) return;
    order_.emplace_back(received, id);
    while (order_.size() > kIdWindowSize || received - order_.front().first > kIdWindow) {
      ids_.erase(order_.front().second);
      order_.pop_front();
    }
  }

 private:
  std::unordered_set<std::uint64_t> ids_;
  std::deque<std::pair<Time, std::uint64_t>> order_;
};

Time wall_clock() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

Error closed() { return {Code::kUnavailable, "the workspace is closed", "", "start the server"}; }

struct Prepared {  // an event sealed and ready to append
  Event event;
  Surrogate identity{};
  Surrogate other{};
  Record record;
};

class EngineOfFiles final : public Engine {
 public:
  explicit EngineOfFiles(EngineOptions options)
      : options_(std::move(options)), state_(options_.shards), seed_(std::random_device{}()) {
    seed_ = mix64(seed_, std::random_device{}());
  }
  ~EngineOfFiles() override { (void)close(); }

  Status start();
  void ingest(std::vector<Event> events,
              std::function<void(const Result<IngestReport>&)> done) override;
  Result<Decision> decide(const DecideRequest& request) override;
  Result<Decision> find_decision(const std::string& id) override;
  Status control(const std::vector<std::string>& changes) override;
  std::shared_ptr<const Catalog> catalog() const override {
    const std::scoped_lock lock(mutex_);
    return state_.catalog();
  }
  Result<std::vector<Event>> events_of(IdType type, std::string_view id,
                                       std::size_t limit) override;
  Result<Profile> profile_of(IdType type, std::string_view id) override;
  Result<std::string> erase(IdType type, std::string_view id) override;
  Status unlink(std::string_view user_id, std::string_view anonymous_id) override;
  Time now() const override {
    if (options_.clock == Clock::kWall) return wall_clock();
    const std::scoped_lock lock(mutex_);
    return state_.clock();
  }
  Status tick(Time clock) override {
    const std::scoped_lock lock(mutex_);
    return tick_locked(clock);
  }
  std::vector<FoldHash> fold_hashes() override {
    const std::scoped_lock lock(mutex_);
    return state_.hashes();
  }
  EngineCounts counts() const override;
  std::string learning_json() const override;
  Status close() override;

 private:
  std::string path(std::string_view name) const {
    return options_.workspace + "/" + std::string(name);
  }
  Time received_now() const { return options_.clock == Clock::kWall ? wall_clock() : now(); }
  Result<Surrogate> identity(IdType type, const std::string& id, Time received,
                             std::vector<Record>& created);
  Result<Prepared> prepare(Event event, Time received, std::vector<Record>& created);
  Status append_all(std::vector<Prepared>& batch, std::vector<Record>& created,
                    IngestReport& report);
  Status append_event(Prepared& prepared);
  Status tick_locked(Time clock);
  void follow_event_time(Time latest);
  std::optional<Surrogate> find_person(const std::string& id) const;
  Result<Surrogate> require(IdType type, std::string_view id) const;
  void run_ticks(const std::stop_token& stop);

  const EngineOptions options_;
  std::unique_ptr<Keyring> keyring_;
  std::unique_ptr<Journal> journal_;
  mutable std::mutex mutex_;  // orders appends together with the folds they cause
  State state_;
  IdWindow ids_;
  EngineCounts counts_;
  Time latest_event_{};
  bool is_closed_ = false;
  std::atomic<std::uint64_t> decisions_{0};
  std::uint64_t seed_;
  std::array<std::mutex, 1024> person_mutex_;  // one decision of a person at a time
  std::mutex ticking_mutex_;
  std::condition_variable_any ticking_;
  std::jthread ticker_;
};

Status EngineOfFiles::start() {
  std::error_code error;
  std::filesystem::create_directories(options_.workspace, error);
  if (error) {
    return Error{Code::kUnavailable,
                 fmt::format("workspace {}: {}", options_.workspace, error.message()), "",
                 "choose a folder you may write to"};
  }
  const bool is_new = !std::filesystem::exists(path("journal"));
  TRY(journal_, open_file_journal({.directory = path("journal")}));
  TRY(keyring_, open_keyring(path("keys"), is_new));
  TRY_OK(load_base_file(path("base"), state_));
  TRY_OK(replay(*journal_, *keyring_, state_,
                [this](std::uint64_t id, Time received) { ids_.insert(id, received); }));
  latest_event_ = state_.clock();
  if (options_.is_ticking) {
    ticker_ = std::jthread([this](const std::stop_token& stop) { run_ticks(stop); });
  }
  return ok_status();
}

void EngineOfFiles::run_ticks(const std::stop_token& stop) {
  std::unique_lock lock(ticking_mutex_);
  while (!stop.stop_requested()) {
    ticking_.wait_for(lock, stop, std::chrono::milliseconds(options_.tick_ms),
                      [] { return false; });
    if (stop.stop_requested()) return;
    const std::scoped_lock state_lock(mutex_);
    (void)tick_locked(options_.clock == Clock::kWall ? wall_clock() : latest_event_);
  }
}

Status EngineOfFiles::tick_locked(Time clock) {
  if (is_closed_) return closed();
  clock = std::max(clock, state_.clock());
  TRY_OK(keyring_->sync());
  Record record{.kind = Kind::kTick, .received = clock, .payload = {}};
  const std::uint64_t number = state_.tick_number() + 1;
  Writer(record.payload).u64(number);
  TRY(const Position at, journal_->append({&record, 1}));
  (void)at;
  state_.tick(number, clock);
  return ok_status();
}

void EngineOfFiles::follow_event_time(Time latest) {
  latest_event_ = std::max(latest_event_, latest);
  if (options_.clock != Clock::kEvent) return;
  if (latest_event_ - state_.clock() >= seconds(options_.event_tick_s)) {
    (void)tick_locked(latest_event_);
  }
}

Result<Surrogate> EngineOfFiles::identity(IdType type, const std::string& id, Time received,
                                          std::vector<Record>& created) {
  if (const auto known = keyring_->find(type, id)) return *known;
  TRY(const Surrogate fresh, keyring_->create(type, id));
  Record record{.kind = Kind::kIdentity, .received = received, .surrogate = fresh, .payload = {}};
  Writer writer(record.payload);
  writer.u8(static_cast<std::uint8_t>(type));
  writer.str(id);
  TRY_OK(keyring_->seal(record));
  created.push_back(std::move(record));
  return fresh;
}

Result<Prepared> EngineOfFiles::prepare(Event event, Time received, std::vector<Record>& created) {
  Prepared out;
  const bool is_user = !event.user_id.empty();
  TRY(out.identity, identity(is_user ? IdType::kUser : IdType::kAnonymous,
                             is_user ? event.user_id : event.anonymous_id, received, created));
  if (is_user && !event.anonymous_id.empty()) {
    TRY(out.other, identity(IdType::kAnonymous, event.anonymous_id, received, created));
  } else if (!event.previous_id.empty()) {
    const auto user = keyring_->find(IdType::kUser, event.previous_id);
    const auto anonymous = keyring_->find(IdType::kAnonymous, event.previous_id);
    if (user || anonymous) {
      out.other = user ? *user : *anonymous;
    } else {
      TRY(out.other, identity(IdType::kAnonymous, event.previous_id, received, created));
    }
  }
  out.record = {
      .kind = Kind::kEvent, .received = received, .surrogate = out.identity, .payload = {}};
  if (!event.message_id.empty()) out.record.id_hash = keyring_->id_hash(event.message_id);
  encode_event(event, out.other, received, out.record.payload);
  TRY_OK(keyring_->seal(out.record));
  out.event = std::move(event);
  return out;
}

Status EngineOfFiles::append_event(Prepared& prepared) {
  if (raw(prepared.other) != 0) {
    const auto members = state_.graph().members(prepared.identity);
    if (std::find(members.begin(), members.end(), prepared.other) == members.end()) {
      Record link{.kind = Kind::kLink, .received = prepared.record.received, .payload = {}};
      Writer writer(link.payload);
      writer.u64(raw(prepared.identity));
      writer.u64(raw(prepared.other));
      TRY(const Position at, journal_->append({&link, 1}));
      state_.link(at, prepared.identity, prepared.other);
    }
  }
  TRY(const Position at, journal_->append({&prepared.record, 1}));
  state_.event(at, prepared.identity, prepared.event);
  return ok_status();
}

Status EngineOfFiles::append_all(std::vector<Prepared>& batch, std::vector<Record>& created,
                                 IngestReport& report) {
  const std::scoped_lock lock(mutex_);
  if (is_closed_) return closed();
  if (!created.empty()) {
    TRY(const Position at, journal_->append(created));
    (void)at;
  }
  Time latest{};
  for (Prepared& prepared : batch) {
    const std::uint64_t id = prepared.record.id_hash;
    if (id != 0 && ids_.contains(id)) {
      ++report.duplicates;
      continue;
    }
    TRY_OK(append_event(prepared));
    if (id != 0) ids_.insert(id, prepared.record.received);
    latest = std::max(latest, prepared.event.time);
    ++report.accepted;
  }
  counts_.events += report.accepted;
  counts_.duplicates += report.duplicates;
  follow_event_time(latest);
  return ok_status();
}

void EngineOfFiles::ingest(std::vector<Event> events,
                           std::function<void(const Result<IngestReport>&)> done) {
  const Time received = received_now();
  std::vector<Record> created;
  std::vector<Prepared> batch;
  batch.reserve(events.size());
  for (Event& event : events) {
    auto prepared = prepare(std::move(event), received, created);
    if (!prepared.ok()) return done(std::move(prepared).error());
    batch.push_back(std::move(prepared).value());
  }
  // Keys reach the disk before anything sealed under them is acknowledged.
  if (const Status synced = keyring_->sync(); !synced.ok()) return done(synced.error());
  IngestReport report;
  if (const Status appended = append_all(batch, created, report); !appended.ok()) {
    return done(appended.error());
  }
  // A duplicate of an event not yet on disk waits for it as well.
  journal_->when_durable(journal_->end(), [report, done = std::move(done)](const Status& status) {
    done(status.ok() ? Result<IngestReport>(report) : Result<IngestReport>(status.error()));
  });
}

std::optional<Surrogate> EngineOfFiles::find_person(const std::string& id) const {
  if (const auto user = keyring_->find(IdType::kUser, id)) return user;
  return keyring_->find(IdType::kAnonymous, id);
}

Result<Decision> EngineOfFiles::decide(const DecideRequest& request) {
  if (!is_valid_external_id(request.person_id)) {
    return Error{Code::kInvalid, "person: must be a text of 1 to 256 bytes", "person",
                 "send the user id or the anonymous id"};
  }
  std::vector<Record> created;
  auto found = find_person(request.person_id);
  if (!found) {
    TRY(found, identity(IdType::kUser, request.person_id, received_now(), created));
  }
  std::unique_lock lock(mutex_);
  if (is_closed_) return closed();
  const auto members = state_.graph().members(*found);
  lock.unlock();
  const Surrogate first = members.front();
  const std::scoped_lock one_at_a_time(person_mutex_[raw(first) % person_mutex_.size()]);
  lock.lock();
  const Profile person = state_.person(*found);
  const auto published = state_.published();
  const Time time = options_.clock == Clock::kWall ? wall_clock() : state_.clock();
  lock.unlock();
  Rng rng(mix64(seed_, decisions_.fetch_add(1)));
  const std::string id = new_decision_id(time, rng);
  const Placement& placement = published->catalog->placement(request.placement);
  TRY(Decision decision, attune::decide(request, person, person.position != 0, raw(first),
                                        placement, *published, time, rng, id));
  Record record{.kind = Kind::kDecision,
                .received = time,
                .surrogate = *found,
                .id_hash = keyring_->id_hash(id),
                .payload = {}};
  encode_decision(decision, record.payload);
  TRY_OK(keyring_->seal(record));
  lock.lock();
  if (is_closed_) return closed();
  created.push_back(std::move(record));
  TRY(const Position at, journal_->append(created));
  state_.decision(at, *found, decision);
  ++counts_.decisions;
  return decision;
}

Result<Decision> EngineOfFiles::find_decision(const std::string& id) {
  TRY_OK(journal_->flush());
  const std::uint64_t wanted = keyring_->id_hash(id);
  TRY(const auto cursor, journal_->read(1));
  while (true) {
    TRY(const auto stored, cursor->next());
    if (!stored) break;
    if (stored->record.kind != Kind::kDecision || stored->record.id_hash != wanted) continue;
    TRY(const std::string payload, keyring_->open(stored->record));
    return decode_decision(payload);
  }
  return Error{Code::kNotFound, "no decision " + id, "id",
               "ids begin with d_ and have 28 characters"};
}

Status EngineOfFiles::control(const std::vector<std::string>& changes) {
  {
    const std::scoped_lock lock(mutex_);
    if (is_closed_) return closed();
    const Time received = options_.clock == Clock::kWall ? wall_clock() : state_.clock();
    Catalog trial(*state_.catalog());  // all of them apply, or none is written
    for (const std::string& change : changes) TRY_OK(trial.apply(change, received));
    for (const std::string& change : changes) {
      Record record{.kind = Kind::kControl, .received = received, .payload = change};
      TRY(const Position at, journal_->append({&record, 1}));
      TRY_OK(state_.control(at, change, received));
    }
    TRY_OK(tick_locked(received));
  }
  return journal_->flush();
}

Result<Surrogate> EngineOfFiles::require(IdType type, std::string_view id) const {
  if (const auto known = keyring_->find(type, id)) return *known;
  return Error{Code::kNotFound, "no such person in this workspace", "id",
               "nothing was ever stored under this id, or it was erased"};
}

Result<std::vector<Event>> EngineOfFiles::events_of(IdType type, std::string_view id,
                                                    std::size_t limit) {
  TRY(const Surrogate any, require(type, id));
  TRY_OK(journal_->flush());
  std::vector<Surrogate> members;
  {
    const std::scoped_lock lock(mutex_);
    members = state_.graph().members(any);
  }
  std::deque<Event> newest;
  TRY(const auto cursor, journal_->read(1));
  while (true) {
    TRY(const auto stored, cursor->next());
    if (!stored) break;
    const Record& record = stored->record;
    if (record.kind != Kind::kEvent) continue;
    if (std::find(members.begin(), members.end(), record.surrogate) == members.end()) continue;
    TRY(const std::string payload, keyring_->open(record));
    TRY(StoredEvent decoded, decode_event(payload, record.received));
    newest.push_front(std::move(decoded.event));
    if (newest.size() > limit) newest.pop_back();
  }
  return std::vector<Event>(newest.begin(), newest.end());
}

Result<Profile> EngineOfFiles::profile_of(IdType type, std::string_view id) {
  TRY(const Surrogate any, require(type, id));
  const std::scoped_lock lock(mutex_);
  return state_.person(any);
}

// Order matters: the record is durable, then a base without the person, then the keys go. A crash
// in between leaves a tombstone; replay drops the person again.
Result<std::string> EngineOfFiles::erase(IdType type, std::string_view id) {
  TRY(const Surrogate any, require(type, id));
  const std::scoped_lock lock(mutex_);
  TRY_OK(tick_locked(options_.clock == Clock::kWall ? wall_clock() : state_.clock()));
  const auto members = state_.graph().members(any);
  Record record{.kind = Kind::kErase, .received = state_.clock(), .payload = {}};
  Writer writer(record.payload);
  for (const Surrogate member : members) writer.u64(raw(member));
  TRY(const Position at, journal_->append({&record, 1}));
  TRY_OK(journal_->flush());
  state_.erase(members);
  TRY_OK(store_base_file(path("base"), state_.encode_base(at)));
  for (const Surrogate member : members) TRY_OK(keyring_->destroy(member));
  counts_.erased += members.size();
  std::string receipt;
  JsonWriter json(receipt);
  json.begin_object().field("erased_identities", static_cast<std::uint64_t>(members.size()));
  json.field("time", format_iso8601(state_.clock())).field("journal_position", at);
  json.key("stores").begin_object();
  json.field("journal", "unreadable: keys destroyed").field("profiles", "dropped");
  json.field("learner", "pending rows dropped; weights shared by many people stay");
  json.field("item_counters", "sums over people stay");
  json.field("backups", "unreadable: they hold no keys").end_object().end_object();
  return receipt;
}

Status EngineOfFiles::unlink(std::string_view user_id, std::string_view anonymous_id) {
  TRY(const Surrogate a, require(IdType::kUser, user_id));
  TRY(const Surrogate b, require(IdType::kAnonymous, anonymous_id));
  {
    const std::scoped_lock lock(mutex_);
    if (is_closed_) return closed();
    Record record{.kind = Kind::kUnlink, .received = state_.clock(), .payload = {}};
    Writer writer(record.payload);
    writer.u64(raw(a));
    writer.u64(raw(b));
    TRY(const Position at, journal_->append({&record, 1}));
    (void)at;
    state_.unlink(a, b);
  }
  return journal_->flush();
}

EngineCounts EngineOfFiles::counts() const {
  const std::scoped_lock lock(mutex_);
  EngineCounts counts = counts_;
  counts.ticks = state_.tick_number();
  counts.identities = keyring_->size();
  counts.journal_bytes = journal_->bytes();
  counts.journal_records = journal_->end();
  counts.profiles = state_.profile_count();
  counts.updates = state_.learner().updates();
  return counts;
}

Status EngineOfFiles::close() {
  ticker_.request_stop();
  if (ticker_.joinable()) ticker_.join();
  const std::scoped_lock lock(mutex_);
  if (is_closed_ || !journal_) return ok_status();
  is_closed_ = true;
  return journal_->flush();
}

std::string EngineOfFiles::learning_json() const {
  const std::scoped_lock lock(mutex_);
  const Learner& learner = state_.learner();
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("updates", learner.updates());
  json.key("progressive").raw(learner.progressive().json());
  json.key("policies").begin_object();
  for (const Policy policy :
       {Policy::kLearned, Policy::kControl, Policy::kRandom, Policy::kFallback}) {
    const PolicyCount& count = learner.policy(policy);
    json.key(policy_name(policy)).begin_object().field("impressions", count.impressions);
    json.field("clicks", count.clicks).end_object();
  }
  json.end_object().end_object();
  return out;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options) {
  auto engine = std::make_unique<EngineOfFiles>(options);
  TRY_OK(engine->start());
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace attune
