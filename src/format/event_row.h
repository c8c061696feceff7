// EventRow: what the readers of events share: the checks of one event, times where a file has none,
// ids where it has no person. One thread.
#pragma once
#include <string>
#include <string_view>

#include "event/event.h"
#include "format/event_formats.h"

namespace attune {

// Of what has no time: one after another before the import began.
inline constexpr auto kSyntheticSpan = std::chrono::hours(24);
inline constexpr auto kFuture = std::chrono::hours(24);

// "row:0123456789abcdef:17": the same in every import of the same bytes.
void anonymous_row_id(const std::string& digest, std::uint64_t row, std::string& out);
// d_ and 26 characters, of the time and the row.
std::string row_decision_id(const std::string& digest, std::uint64_t row, Time time);
// Row n comes n steps after the first, a day before the import began; later ones at its end.
Time synthetic_time(Time began, std::uint64_t n, Duration step);

// "" = good, else what is wrong.
std::string_view wrong_id(std::string_view id);
std::string_view wrong_time(Time time, Time now);

// Base of the readers: where bad rows are noted.
class NotedReader : public EventReader {
 public:
  const BadRow& bad() const override { return bad_; }
  std::string_view bad_text() const override { return bad_text_; }
  const std::vector<std::string>& notes() const override { return notes_; }

 protected:
  Next bad_row(std::uint64_t line, std::string_view column, std::string_view reason,
               std::string_view text) {
    bad_.line = line;
    bad_.column = column;
    bad_.reason = reason;
    bad_text_ = text.substr(0, 4096);
    return Next::kBad;
  }
  BadRow bad_;
  std::string bad_text_;
  std::vector<std::string> notes_;
};

}  // namespace attune
