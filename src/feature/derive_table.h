// derive_plan: a plan for a table from a sample of its rows, with the reason for each column in
// words. A beginning to be read and changed, not the last word. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "feature/table_rows.h"

namespace attune {

// An even sample of the rows added, owned: all of them, then every second, every fourth ... One
// thread.
class TableSample {
 public:
  static constexpr std::size_t kMostRows = 20'000;
  static constexpr std::size_t kMostBytes = 64u << 20;

  explicit TableSample(std::span<const std::string> columns);
  // Always true: files are often in order of time, so add all of one.
  bool add(Cells cells);
  const std::vector<std::string>& columns() const { return columns_; }
  std::size_t rows() const { return ends_.size() / columns_.size(); }
  std::string_view cell(std::size_t row, std::size_t column) const;

 private:
  std::vector<std::string> columns_;
  void thin();

  std::string text_;
  std::vector<std::size_t> ends_;  // of each cell in text_
  std::uint64_t seen_ = 0, stride_ = 1;
};

struct DeriveOptions {
  std::string target = {};    // "" = none; the plan can still make rows
  std::string positive = {};  // "" = guessed
  std::string weight = {};
  std::vector<std::string> drop = {};   // columns to leave out
  std::vector<std::string> allow = {};  // sensitive names to let in
};

struct PlanReason {
  std::string of;      // "column.job", "person.city"
  std::string reason;  // "12 values in 5,000 rows: category"
  bool is_used = false;
  std::size_t begin = 0, end = 0;  // its features in the plan: [begin, end)
};

struct DerivedPlan {
  Plan plan;
  std::vector<PlanReason> reasons;  // in order of the columns
  // The plan's text with the reasons as comments; Plan::declare reads it.
  std::string toml() const;
};

// kInvalid: no rows, no such target, a target of one value, or of several texts and no positive.
Result<DerivedPlan> derive_plan(const TableSample& sample, const DeriveOptions& options);

}  // namespace attune
