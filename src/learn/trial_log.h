// TrialLog: a file of what a search of models has found out so far, one line a trial, so that a
// search that was cut short goes on from there and chooses what it would have chosen. Each line is
// durable before the next trial begins; one cut short by a crash is dropped. One thread, and one
// process at a time.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "stat/metrics.h"

namespace attune {

struct SearchTrial {
  // Which it is:
  std::uint64_t search =
      0;  // of several (folds): fingerprint of the rows learned from and judged on
  std::string kind;
  std::vector<std::pair<std::string, double>> settings;  // empty: the kind's own
  std::uint64_t rows = 0;                                // learned from
  // What came of it:
  std::uint64_t passes = 0, rows_learned = 0;
  double loss = 0;
  std::optional<Interval> interval;
  double seconds = 0;         // that it took
  std::vector<float> losses;  // of each row held back
  bool is_of(const SearchTrial& other) const {
    return search == other.search && kind == other.kind && settings == other.settings &&
           rows == other.rows;
  }
};

// What a search is of: another file may not go on with it.
struct SearchSubject {
  std::string data;     // hexadecimal, of the rows
  std::string options;  // all that the choice depends on, readable
};

class TrialLog {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{4} << 30;
  // Begins the file, or reads it. kInvalid where it is of another subject, no such file at all, or
  // in use by another process; kCorrupt where a line that is not the last makes no sense.
  static Result<TrialLog> open(const std::string& path, const SearchSubject& subject);
  // What is known of this trial, or nullptr.
  const SearchTrial* find(const SearchTrial& like) const;
  Status add(SearchTrial trial);
  std::size_t known() const { return known_; }  // of earlier runs

 private:
  TrialLog() = default;
  std::string path_;
  Fd fd_;
  std::uint64_t size_ = 0;
  std::vector<SearchTrial> trials_;
  std::size_t known_ = 0;
};

}  // namespace attune
