#include "engine/outcome_reader.h"

#include <algorithm>
#include <filesystem>

#include "base/bytes.h"
#include "collect/segment.h"
#include "feature/row.h"
#include "learn/learner.h"
#include "profile/profile.h"

namespace attune {
namespace {

bool is_refusal(std::uint8_t denied) {
  return (denied & static_cast<std::uint8_t>(Purpose::kPersonalization)) != 0;
}

}  // namespace

Status OutcomeReader::open(const std::string& workspace) {
  TRY(journal_, open_journal_reader(workspace + "/journal"));
  TRY(keyring_, open_keyring_reader(workspace + "/keys"));
  end_ = journal_->end();
  const std::string base = workspace + "/base.db";
  if (!std::filesystem::exists(base)) return ok_status();
  TRY(base_, open_sqlite_reader(base));
  return load_base();
}

Status OutcomeReader::begin(std::size_t pass) {
  TRY(cursor_, journal_->read(journal_->first()));
  restart();
  graph_ = base_graph_;
  setup_ = base_setup_;
  denied_ = {};
  waiting_.clear();
  at_ = 0;
  is_first_pass_ = pass == 0;
  return ok_status();
}

Result<bool> OutcomeReader::next(Examples& out) {
  while (waiting_.size() < kBlockRows && at_ < end_) {
    TRY(const auto stored, cursor_->next());
    if (!stored || stored->position > end_) {
      at_ = end_;
      break;
    }
    at_ = stored->position;
    TRY_OK(take(*stored));
  }
  out.clear();
  times_.clear();
  for (; !waiting_.empty() && out.size() < kBlockRows; waiting_.pop_front()) {
    append(waiting_.front(), out);
  }
  return out.size() > 0;
}

double OutcomeReader::share() const {
  const Position first = std::min(journal_->first(), end_);
  if (end_ == first) return 1;
  return static_cast<double>(std::max(at_, first) - first) / static_cast<double>(end_ - first);
}

Status OutcomeReader::load_base() {
  TRY(const std::string graph, base_->load_fold("graph"));
  TRY(const std::string setup, base_->load_fold("setup"));
  TRY(const std::string imports, base_->load_fold("imports"));
  if (!graph.empty()) {
    TRY(base_graph_, IdentityGraph::decode(graph));
  }
  if (!setup.empty()) {
    TRY(base_setup_, decode_setup(setup));
  }
  if (!imports.empty()) {
    TRY(imports_, Imports::decode(imports));
  }
  return ok_status();
}

// An undo is a cut, so the base knows them all.
bool OutcomeReader::is_undone(Position at) const {
  const auto holds_it = [at](const auto& block) { return block.first <= at && at <= block.second; };
  return std::any_of(imports_.all().begin(), imports_.all().end(), [&](const Import& one) {
    return one.is_undone && std::any_of(one.blocks.begin(), one.blocks.end(), holds_it);
  });
}

Status OutcomeReader::take(const StoredRecord& stored) {
  const Record& record = stored.record;
  Reader in(record.payload);
  if (record.kind == Kind::kTick) {
    (void)in.u64();
    on_tick(record.received);
  } else if (record.kind == Kind::kOpen) {
    TRY(setup_, decode_setup(record.payload));
  } else if (record.kind == Kind::kLink || record.kind == Kind::kUnlink) {
    const Surrogate a{in.u64()}, b{in.u64()};
    record.kind == Kind::kLink ? (void)graph_.link(a, b, stored.position)
                               : (void)graph_.unlink(a, b);
  } else if (record.kind == Kind::kErase) {
    while (in.left() >= 8) forget(Surrogate{in.u64()});
  } else if (record.kind == Kind::kEvent || record.kind == Kind::kEvents ||
             record.kind == Kind::kDecision) {
    return take_sealed(stored);
  }
  return ok_status();
}

void OutcomeReader::forget(Surrogate identity) {
  on_gone(identity);
  graph_.drop(identity);
  denied_.erase(identity);
}

Status OutcomeReader::take_sealed(const StoredRecord& stored) {
  const Record& record = stored.record;
  if (is_undone(stored.position)) return ok_status();
  auto payload = keyring_->open(record);
  if (!payload.ok() && payload.error().code == Code::kNotFound) return ok_status();  // erased
  if (!payload.ok()) return std::move(payload).error();
  if (record.kind == Kind::kDecision) {
    TRY(const Decision decision, decode_decision(*payload));
    return take_decision(decision, stored);
  }
  if (record.kind == Kind::kEvent) {
    TRY(const StoredEvent event, decode_event(*payload, record.received));
    return take_event(event.event, record);
  }
  EventListReader list(*payload, record.received);
  StoredEvent event;
  while (true) {
    TRY(const bool is_there, list.next(event));
    if (!is_there) return ok_status();
    TRY_OK(take_event(event.event, record));
  }
}

Status OutcomeReader::take_decision(const Decision& decision, const StoredRecord& stored) {
  const Surrogate identity = stored.record.surrogate;
  TRY(const auto said, said_by(identity));
  denied_.change(identity) = said.value_or(setup_.denied_by_default);
  TRY(const bool is_denied, is_refused(identity));
  if (is_denied) return ok_status();
  if (names_ && is_first_pass_) {
    for (const ShownItem& shown : decision.shown) {
      for (const Part& part : shown.parts) names_(part.hash, part.name);
    }
  }
  on_decision(Waiting::of(decision), identity, stored.position, stored.record.received);
  return ok_status();
}

Status OutcomeReader::take_event(const Event& event, const Record& record) {
  TRY(const auto before, said_by(record.surrogate));
  bool has_consent = false;
  const std::uint8_t said = denied_purposes_of(event.context, has_consent);
  const std::uint8_t denied = has_consent ? said : before.value_or(setup_.denied_by_default);
  denied_.change(record.surrogate) = denied;
  if (event.item_id.empty() && !has_consent) return ok_status();
  const std::vector<Surrogate> person = graph_.members(record.surrogate);
  if (is_refusal(denied)) {
    for (const Surrogate one : person) on_gone(one);
  } else if (!event.item_id.empty()) {
    on_deed(Deed::of(event), person, record.received);
  }
  return ok_status();
}

// What the identity refuses as of here; absent of one without a record so far.
Result<std::optional<std::uint8_t>> OutcomeReader::said_by(Surrogate identity) {
  if (const std::uint8_t* const known = denied_.find(identity)) return std::optional(*known);
  std::optional<std::uint8_t> denied;
  if (!base_) return denied;
  TRY(const std::string sealed, base_->load(identity));
  const Record record{
      .kind = Kind::kStored, .received = {}, .surrogate = identity, .payload = sealed};
  Profile profile;
  const auto plain = keyring_->open(record);
  if (!sealed.empty() && plain.ok() && Profile::decode(*plain, profile).ok()) {
    denied = profile.denied_purposes;
    denied_.change(identity) = *denied;
  }
  return denied;
}

// Whether any identity of the person refuses personalization.
Result<bool> OutcomeReader::is_refused(Surrogate identity) {
  for (const Surrogate one : graph_.members(identity)) {
    TRY(const auto said, said_by(one));
    if (said && is_refusal(*said)) return true;
  }
  return false;
}

void OutcomeReader::append(const Known& known, Examples& out) {
  if (known.row.empty()) return;  // nothing was predicted from
  out.labels.push_back(known.labels.front());
  out.further_labels.insert(out.further_labels.end(), known.labels.begin() + 1, known.labels.end());
  out.weights.push_back(is_teacher(known.row) ? 1.0F : 0.0F);
  out.features.insert(out.features.end(), known.row.begin(), known.row.end());
  add_live_fields(out);
  out.ends.push_back(static_cast<std::uint32_t>(out.features.size()));
  times_.push_back(known.when);
}

}  // namespace attune
