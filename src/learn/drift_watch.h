// DriftWatch: whether the live learner's predictions have got worse, by two means that are 0 while
// every probability is right, however many clicks there are: bias, what it says less what happens;
// and surprise, its log loss less what the predictions themselves let expect. Outcomes come when
// they are known, clicks at once and the rest when their window ends; so each waits here until the
// windows of its minute have ended, and is then counted with the others of that minute. A fold; one
// thread.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "stat/adwin.h"

namespace attune {

class JsonWriter;

struct DriftAlarm {
  enum class What : std::uint8_t { kSurprise, kBias } what{};
  Time at{};                     // of the tick that raised it
  double before = 0, after = 0;  // means
  std::uint64_t rows = 0;        // outcomes after the change
};
std::string_view drift_name(DriftAlarm::What what);  // "surprise", "bias"
// "log loss beyond what predictions expect went from +0.0012 to +0.0421 over the last 1234
// outcomes"
std::string drift_words(const DriftAlarm& alarm);

class DriftWatch {
 public:
  // window_end: of the decision the outcome is of.
  void add(Time window_end, double p, bool label);
  // Counts the minutes whose windows have all ended before `now`.
  void close(Time now);
  std::uint64_t alarms() const { return alarms_; }
  const std::optional<DriftAlarm>& last() const { return last_; }
  std::uint64_t rows() const { return rows_; }  // counted so far
  // Means over what is like now: since the last change, better or worse.
  double surprise() const { return surprise_.mean(); }
  double bias() const { return bias_.mean(); }
  void write(JsonWriter& json) const;  // one object

  void encode(std::string& out) const;  // canonical and complete
  static Result<DriftWatch> decode(std::string_view bytes);

 private:
  struct Batch {
    std::uint64_t n = 0;
    double surprise = 0, squared_surprise = 0, bias = 0, squared_bias = 0;
  };
  void count(Time now);
  void raise(DriftAlarm::What what, const Adwin::Change& change, Time now);

  std::map<std::int64_t, Batch> waiting_;  // by the minute their windows end in
  Batch batch_;                            // of ended minutes, too few rows yet
  Adwin surprise_{{.range = 2 * kMostSurprise}}, bias_{{.range = 2}};
  std::uint64_t rows_ = 0, alarms_ = 0;
  std::optional<DriftAlarm> last_;

  static constexpr double kMostSurprise = 4;  // of a row, either way: beyond it counts as so much
};

}  // namespace attune
