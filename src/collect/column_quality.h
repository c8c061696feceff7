// What one pass over a column's cells tells: how many are what, how they lie, and what they give
// away of the label. Bounded memory. One thread.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "stat/sketch.h"

namespace attune {

// Counted, with the first lines where it was met.
struct Spot {
  static constexpr std::size_t kLines = 3;
  std::uint64_t count = 0;
  std::vector<std::uint64_t> lines = {};
  std::string example = {};  // the first cell, cut
  void add(std::uint64_t line, std::string_view cell) {
    if (++count > kLines) return;
    lines.push_back(line);
    if (count == 1) example = cell.substr(0, 60);
  }
};

struct QualityNumber {
  double value = 0;
  std::uint64_t line = 0;
  float label = 0;
};

class ColumnQuality {
 public:
  static constexpr std::size_t kMostValues = 1000;  // counted one by one; beyond, estimated

  explicit ColumnQuality(std::string name) : name_(std::move(name)) {}
  // now: what is later is of the future. label: 0, 1, or NaN = not known.
  void add(std::string_view cell, std::uint64_t line, float label, Time now);

  struct Value {
    std::string text;
    std::uint64_t count = 0, labelled = 0, positive = 0;
  };
  const std::string& name() const { return name_; }
  std::uint64_t rows() const { return rows_; }
  std::uint64_t filled() const { return rows_ - missing.count; }
  // Different values; exact when counted one by one.
  bool is_exact() const { return !is_many_; }
  double different() const {
    return is_many_ ? different_.count() : static_cast<double>(values_.size());
  }
  const std::unordered_map<std::uint64_t, Value>& values() const { return values_; }
  bool is_number() const { return filled() > 0 && numbers_of_filled() >= 0.9; }
  bool is_time() const {
    return filled() > 0 && static_cast<double>(times) >= 0.9 * static_cast<double>(filled());
  }
  double numbers_of_filled() const {
    return static_cast<double>(numbers.seen()) / static_cast<double>(filled());
  }

  Spot missing;
  Spot placeholders;  // "NA", "null", "?": texts that mean nothing is known
  Spot texts;         // neither number nor time
  Spot padded;        // blanks around
  Spot mojibake;      // UTF-8 read as Latin-1 and written again, or U+FFFD
  std::uint64_t not_ascii = 0;
  Reservoir<QualityNumber> numbers{4096};
  QualityNumber least{std::numeric_limits<double>::infinity()};
  QualityNumber most{-std::numeric_limits<double>::infinity()};
  std::uint64_t negative = 0, whole = 0;
  // Of times:
  std::uint64_t times = 0, zoned = 0, unzoned = 0;
  Spot future, before_2000, first_unzoned;
  Time first = Time::max(), last = Time::min();
  std::vector<std::string> offsets;  // "Z", "+02:00": the first few different ones

 private:
  void add_number(double value, std::uint64_t line, float label);
  bool add_time(std::string_view cell, std::uint64_t line, Time now);
  void add_text(std::string_view cell, std::uint64_t line);
  void count(std::string_view cell, float label);

  std::string name_;
  std::uint64_t rows_ = 0;
  HyperLogLog different_;
  bool is_many_ = false;
  std::unordered_map<std::uint64_t, Value> values_;
};

// Time of a cell, with a zone or without (then as UTC); offset: how the zone is written, "" = none.
std::optional<Time> time_in_cell(std::string_view cell, std::string_view& offset);

}  // namespace attune
