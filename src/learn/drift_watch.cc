#include "learn/drift_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/bytes.h"
#include "base/json.h"
#include "stat/calibration.h"

namespace attune {
namespace {

constexpr std::int64_t kMinuteUs = 60'000'000;
constexpr std::size_t kMostWaiting = 4096;   // minutes; beyond it the first is counted early
constexpr std::uint64_t kLeastRows = 50;     // of a batch
constexpr std::uint64_t kNewLearner = 2000;  // rows until it says something of the world

std::int64_t minute_of(Time time) {
  const std::int64_t us = to_us(time);
  return us >= 0 ? us / kMinuteUs : -((-us + kMinuteUs - 1) / kMinuteUs);
}

}  // namespace

std::string_view drift_name(DriftAlarm::What what) {
  return what == DriftAlarm::What::kSurprise ? "surprise" : "bias";
}

std::string drift_words(const DriftAlarm& alarm) {
  const bool is_bias = alarm.what == DriftAlarm::What::kBias;
  return fmt::format(
      "{} went from {:+.4f} to {:+.4f} over the last {} outcomes",
      is_bias ? "predictions less clicks" : "log loss beyond what predictions expect", alarm.before,
      alarm.after, alarm.rows);
}

// Log loss less its expectation under p is (p - label) times the logit of p.
void DriftWatch::add(Time window_end, double p, bool label) {
  if (!(p >= 0 && p <= 1)) return;
  const double bias = p - (label ? 1 : 0);
  const double surprise = std::clamp(bias * logit_of(p), -kMostSurprise, kMostSurprise);
  Batch& batch = waiting_[minute_of(window_end)];
  ++batch.n;
  batch.surprise += surprise;
  batch.squared_surprise += surprise * surprise;
  batch.bias += bias;
  batch.squared_bias += bias * bias;
}

void DriftWatch::close(Time now) {
  while (!waiting_.empty() &&
         (waiting_.begin()->first < minute_of(now) || waiting_.size() > kMostWaiting)) {
    const Batch& ended = waiting_.begin()->second;
    batch_.n += ended.n;
    batch_.surprise += ended.surprise;
    batch_.squared_surprise += ended.squared_surprise;
    batch_.bias += ended.bias;
    batch_.squared_bias += ended.squared_bias;
    waiting_.erase(waiting_.begin());
    if (batch_.n >= kLeastRows) count(now);
  }
}

void DriftWatch::count(Time now) {
  const Batch batch = std::exchange(batch_, {});
  const auto n = static_cast<double>(batch.n);
  rows_ += batch.n;
  const auto surprise = surprise_.add(n, batch.surprise, batch.squared_surprise);
  const auto bias = bias_.add(n, batch.bias, batch.squared_bias);
  if (rows_ < kNewLearner) return;
  // What gets better is no alarm, nor is a loss that is less than expected.
  if (surprise && surprise->after > std::max(0.0, surprise->before)) {
    raise(DriftAlarm::What::kSurprise, *surprise, now);
  }
  if (bias && std::fabs(bias->after) > std::fabs(bias->before)) {
    raise(DriftAlarm::What::kBias, *bias, now);
  }
}

void DriftWatch::raise(DriftAlarm::What what, const Adwin::Change& change, Time now) {
  ++alarms_;
  last_ = DriftAlarm{.what = what,
                     .at = now,
                     .before = change.before,
                     .after = change.after,
                     .rows = static_cast<std::uint64_t>(std::llround(change.rows_after))};
}

void DriftWatch::write(JsonWriter& json) const {
  json.begin_object().field("outcomes", rows_);
  json.field("surprise", surprise()).field("bias", bias()).field("alarms", alarms_);
  json.key("last");
  if (last_) {
    json.begin_object().field("what", drift_name(last_->what));
    json.field("at", format_iso8601(last_->at)).field("before", last_->before);
    json.field("after", last_->after).field("outcomes", last_->rows);
    json.field("words", drift_words(*last_)).end_object();
  } else {
    json.null();
  }
  json.end_object();
}

void DriftWatch::encode(std::string& out) const {
  Writer w(out);
  const auto write = [&w](const Batch& b) {
    w.varint(b.n);
    for (const double number : {b.surprise, b.squared_surprise, b.bias, b.squared_bias})
      w.f64(number);
  };
  w.varint(waiting_.size());
  for (const auto& [minute, batch] : waiting_) {
    w.svarint(minute);
    write(batch);
  }
  write(batch_);
  for (const Adwin* adwin : {&surprise_, &bias_}) {
    std::string part;
    adwin->encode(part);
    w.str(part);
  }
  w.varint(rows_);
  w.varint(alarms_);
  w.u8(last_ ? 1 : 0);
  if (!last_) return;
  w.u8(static_cast<std::uint8_t>(last_->what));
  w.svarint(to_us(last_->at));
  w.f64(last_->before);
  w.f64(last_->after);
  w.varint(last_->rows);
}

Result<DriftWatch> DriftWatch::decode(std::string_view bytes) {
  Reader r(bytes);
  DriftWatch watch;
  const auto read = [&r] {
    Batch b;
    b.n = r.varint();
    for (double* number : {&b.surprise, &b.squared_surprise, &b.bias, &b.squared_bias})
      *number = r.f64();
    return b;
  };
  const std::uint64_t minutes = r.varint();
  for (std::uint64_t i = 0; i < minutes && r.ok(); ++i) {
    const std::int64_t minute = r.svarint();
    watch.waiting_[minute] = read();
  }
  watch.batch_ = read();
  const std::string_view surprise = r.str(), bias = r.str();
  watch.rows_ = r.varint();
  watch.alarms_ = r.varint();
  if (r.u8() == 1) {
    DriftAlarm alarm;
    alarm.what = r.u8() == 0 ? DriftAlarm::What::kSurprise : DriftAlarm::What::kBias;
    alarm.at = time_from_us(r.svarint());
    alarm.before = r.f64();
    alarm.after = r.f64();
    alarm.rows = r.varint();
    watch.last_ = alarm;
  }
  if (!r.ok() || !r.done()) return Error{Code::kCorrupt, "drift: the stored watch is cut short"};
  TRY(watch.surprise_, Adwin::decode(surprise, {.range = 2 * kMostSurprise}));
  TRY(watch.bias_, Adwin::decode(bias, {.range = 2}));
  return watch;
}

}  // namespace attune
