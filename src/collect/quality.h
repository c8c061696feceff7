// Quality: whether data can be trusted, before anything learns from it. One pass over the rows of a
// table, or the events of a workspace, in bounded memory; then findings: what, where, why it
// matters, what to do. Counts are exact but for what says "about". One thread.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collect/column_quality.h"

namespace attune {

struct QualityOptions {
  std::string target = {};    // the column of the label; "" = none
  std::string positive = {};  // its text that means 1; "" = the number 1, or yes or true
  std::string key = {};       // a column that should name each row once; "" = guessed by its name
  std::vector<std::string> sparse = {};  // columns whose cells are empty by nature
  Time now{};                            // times after it are of the future
};

enum class Weight { kNote, kWarn, kStop };    // to know; to mend; learning from it would mislead
std::string_view weight_name(Weight weight);  // "note", "warn", "stop"

struct QualityFinding {
  Weight weight{};
  std::string kind;    // "leak", "duplicate_rows"
  std::string column;  // "" = the rows as a whole
  std::string what;
  std::string why;
  std::string fix;
  std::vector<std::uint64_t> lines = {};  // examples
};

// Rows by day (UTC), in all and by the value of the verb's column.
struct Volume {
  static constexpr std::size_t kMostDays = 5000, kMostVerbs = 50;
  std::string time_column, verb_column;
  std::map<std::int64_t, std::uint64_t> days;  // since 1970
  std::map<std::string, std::map<std::int64_t, std::uint64_t>, std::less<>> verbs;
  void add(Time time, std::string_view verb);
};
std::string day_text(std::int64_t day);  // "2026-11-25"

class Quality {
 public:
  // kInvalid: no such target or key among the columns.
  static Result<Quality> make(std::span<const std::string> columns, const QualityOptions& options);
  // rest: what tells the row apart beside its cells, and is not shown.
  void add(std::span<const std::string_view> cells, std::uint64_t line, std::uint64_t rest = 0);
  // A row that could not be read.
  void add_bad(std::uint64_t line, std::string_view reason);

  std::uint64_t rows() const { return rows_; }
  const std::vector<ColumnQuality>& columns() const { return columns_; }
  const Volume& volume() const { return volume_; }
  double positives() const { return static_cast<double>(positives_); }
  const QualityOptions& options() const { return options_; }
  const Spot& bad() const { return bad_; }
  const Spot& repeated_rows() const { return repeated_; }
  const Spot& repeated_keys() const { return repeated_key_; }
  const RepeatCounter& row_counter() const { return row_repeats_; }
  const RepeatCounter& key_counter() const { return key_repeats_; }
  std::string key_column() const { return key_ < columns_.size() ? columns_[key_].name() : ""; }
  std::uint64_t labelled() const { return labelled_; }
  std::size_t target() const { return target_; }  // columns().size() = none

 private:
  Quality() = default;
  float label_of(std::string_view cell) const;
  void add_volume(std::span<const std::string_view> cells);

  QualityOptions options_;
  std::vector<ColumnQuality> columns_;
  std::size_t target_ = 0, key_ = 0, verb_ = 0, time_ = 0;  // columns_.size() = none
  std::uint64_t rows_ = 0, labelled_ = 0, positives_ = 0;
  Spot bad_, repeated_, repeated_key_;
  RepeatCounter row_repeats_, key_repeats_;
  Volume volume_;
};

// Heaviest first; of the same weight in order of the columns. Beyond 200 the rest is left out.
std::vector<QualityFinding> findings_of(const Quality& quality);

}  // namespace attune
