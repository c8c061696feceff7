// The path of an event: identities, seal, append, fold, acknowledge.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/bytes.h"
#include "base/process.h"
#include "collect/segment.h"
#include "engine/workspace.h"

namespace attune {
namespace {

constexpr auto kWaitForRoom = std::chrono::seconds(10);

// The CPU time of one batch, divided between its two stages as their wall times are: the clock of a
// thread is too slow to be read for each event.
class TwoStages {
 public:
  void enter(std::size_t stage) {  // 0, where it begins, or 1
    const auto now = Clock::now();
    wall_[stage_] += std::chrono::duration<double>(now - since_).count();
    since_ = now;
    stage_ = stage;
  }
  void finish(std::uint64_t& first_ns, std::uint64_t& second_ns) {
    enter(0);
    const auto cpu = static_cast<double>(thread_cpu_ns() - begin_);
    const double share = wall_[0] / std::max(1e-12, wall_[0] + wall_[1]);
    first_ns += static_cast<std::uint64_t>(cpu * share);
    second_ns += static_cast<std::uint64_t>(cpu * (1 - share));
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::uint64_t begin_ = thread_cpu_ns();
  Clock::time_point since_ = Clock::now();
  std::size_t stage_ = 0;
  std::array<double, 2> wall_{};
};

// What is kept of an event that may not be stored: that its person refuses.
Event refusal_of(const Event& event) {
  Event out;
  out.type = event.type;
  out.name = "consent";
  out.time = event.time;
  out.message_id = event.message_id;
  out.user_id = event.user_id;
  out.anonymous_id = event.anonymous_id;
  out.context = R"({"consent":{"categoryPreferences":{"storage":false}}})";
  return out;
}

}  // namespace

// Whether an identity that was found when the batch was begun has been erased since.
bool Workspace::is_gone(Surrogate identity, const Batch& batch) const {
  if (batch.erasures == erasures_ && erasing_.empty()) return false;
  return std::find(erasing_.begin(), erasing_.end(), identity) != erasing_.end() ||
         !keyring_->has_key(identity);
}

Result<Surrogate> Workspace::identity(IdType type, const std::string& id, Time received,
                                      Batch& batch) {
  if (const auto known = keyring_->find(type, id)) return *known;
  TRY(const Surrogate fresh, keyring_->create(type, id));
  Record record{.kind = Kind::kIdentity, .received = received, .surrogate = fresh, .payload = {}};
  Writer writer(record.payload);
  writer.u8(static_cast<std::uint8_t>(type));
  writer.str(id);
  TRY_OK(keyring_->seal(record));
  batch.created.push_back(std::move(record));
  batch.newcomers.push_back(fresh);
  return fresh;
}

// An alias names an id of either kind.
Result<Surrogate> Workspace::previous(const std::string& id, Time received, Batch& batch) {
  if (const auto user = keyring_->find(IdType::kUser, id)) return *user;
  return identity(IdType::kAnonymous, id, received, batch);
}

Status Workspace::prepare(Event event, Time received, Batch& batch) {
  Prepared out;
  const bool is_user = !event.user_id.empty();
  TRY(out.identity, identity(is_user ? IdType::kUser : IdType::kAnonymous,
                             is_user ? event.user_id : event.anonymous_id, received, batch));
  if (is_user && !event.anonymous_id.empty()) {
    TRY(out.other, identity(IdType::kAnonymous, event.anonymous_id, received, batch));
  } else if (!event.previous_id.empty()) {
    TRY(out.other, previous(event.previous_id, received, batch));
  }
  bool has_consent = false;
  const std::uint8_t denied = denied_purposes_of(event.context, has_consent);
  if (has_consent && (denied & static_cast<std::uint8_t>(Purpose::kStorage)) != 0) {
    event = refusal_of(event);
  }
  out.record = {
      .kind = Kind::kEvent, .received = received, .surrogate = out.identity, .payload = {}};
  if (!event.message_id.empty()) out.record.id_hash = keyring_->id_hash(event.message_id);
  encode_event(event, out.other, received, out.record.payload);
  TRY_OK(keyring_->seal(out.record));
  out.event = std::move(event);
  batch.events.push_back(std::move(out));
  return ok_status();
}

// Whether the event is dropped because its person refused to be stored and says nothing new.
bool Workspace::refuse_storage(Prepared& prepared) {
  if (!state_.may_refuse_storage()) return false;
  bool has_consent = false;
  (void)denied_purposes_of(prepared.event.context, has_consent);
  if (has_consent) return false;
  return (state_.denied(prepared.identity) & static_cast<std::uint8_t>(Purpose::kStorage)) != 0;
}

Status Workspace::append_link(const Prepared& prepared) {
  const auto members = state_.graph().members(prepared.identity);
  if (std::binary_search(members.begin(), members.end(), prepared.other)) return ok_status();
  Record link{.kind = Kind::kLink, .received = prepared.record.received, .payload = {}};
  Writer writer(link.payload);
  writer.u64(raw(prepared.identity));
  writer.u64(raw(prepared.other));
  TRY(const Position at, journal_->append({&link, 1}));
  state_.link(at, prepared.identity, prepared.other);
  return ok_status();
}

Result<Position> Workspace::append_event(const Prepared& prepared) {
  if (raw(prepared.other) != 0) TRY_OK(append_link(prepared));
  TRY_OK(state_.load(prepared.identity));
  return journal_->append({&prepared.record, 1});
}

Status Workspace::append_created(Batch& batch) {
  if (batch.created.empty()) return ok_status();
  TRY_OK(journal_->append(batch.created));
  for (const Surrogate newcomer : batch.newcomers) state_.add_new(newcomer);
  return ok_status();
}

Status Workspace::append_all(Batch& batch, IngestReport& report) {
  const std::scoped_lock lock(mutex_);
  if (is_closed_) return Error{Code::kUnavailable, "the workspace is closed"};
  TwoStages stages;
  TRY_OK(append_created(batch));
  Time latest{};
  for (Prepared& prepared : batch.events) {
    stages.enter(0);
    const std::uint64_t id = prepared.record.id_hash;
    if (id != 0 && ids_->contains(id)) {
      ++report.duplicates;
      continue;
    }
    if (is_gone(prepared.identity, batch) ||
        (raw(prepared.other) != 0 && is_gone(prepared.other, batch))) {
      ++report.dropped_by_erasure;
      continue;
    }
    TRY_OK(state_.load(prepared.identity));
    if (refuse_storage(prepared)) {
      ++report.dropped_by_consent;
      continue;
    }
    latest = std::max(latest, prepared.event.time);
    TRY(const Position at, append_event(prepared));
    stages.enter(1);
    state_.event(at, prepared.identity, std::move(prepared.event));
    if (id != 0) ids_->insert(id, prepared.record.received);
    ++report.accepted;
  }
  counts_.events += report.accepted;
  counts_.duplicates += report.duplicates;
  counts_.dropped_by_consent += report.dropped_by_consent;
  stages.finish(counts_.stages.append_ns, counts_.stages.fold_ns);
  counts_.stages.seal_ns += batch.seal_ns;
  follow_event_time(latest);
  if (!state_.trim()) set_over_limit(true);
  return ok_status();
}

// Under a memory limit events wait for the checkpoint that lets profiles be dropped.
Status Workspace::wait_for_room() {
  std::unique_lock lock(mutex_);
  if (!is_over_limit_) return ok_status();
  if (!is_checkpoint_due_.exchange(true)) waiting_.notify_all();
  if (!options_.is_ticking) return ok_status();  // the caller makes the checkpoints
  if (room_.wait_for(lock, kWaitForRoom, [this] { return !is_over_limit_ || is_closed_; })) {
    return ok_status();
  }
  return Error{Code::kUnavailable, "the memory limit is reached and the disk does not keep up", "",
               "try again, or give more --memory"};
}

void Workspace::ingest(std::vector<Event> events,
                       std::function<void(const Result<IngestReport>&)> done) {
  if (is_disk_full_)
    return done(ready().ok() ? Error{Code::kUnavailable, "the disk was full"} : ready().error());
  if (const Status room = wait_for_room(); !room.ok()) return done(room.error());
  const Time received = received_now();
  Batch batch = new_batch();
  batch.events.reserve(events.size());
  const std::uint64_t begin_ns = thread_cpu_ns();
  for (Event& event : events) {
    if (const Status prepared = prepare(std::move(event), received, batch); !prepared.ok()) {
      return done(prepared.error());
    }
  }
  batch.seal_ns = thread_cpu_ns() - begin_ns;
  IngestReport report;
  if (const Status appended = append_all(batch, report); !appended.ok()) {
    return done(appended.error());
  }
  // A duplicate of an event not yet on disk waits for it as well.
  journal_->when_durable(journal_->end(), [report, done = std::move(done)](const Status& status) {
    done(status.ok() ? Result<IngestReport>(report) : Result<IngestReport>(status.error()));
  });
}

}  // namespace attune
