// RowRange: some of the rows of a source of outcomes, by their places in it. One thread.
#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>

#include "learn/outcome_source.h"

namespace attune {

// Rows [from, to).
class RowRange final : public OutcomeSource {
 public:
  RowRange(OutcomeSource& rows, std::uint64_t from, std::uint64_t to)
      : rows_(rows), from_(from), to_(to) {}

  Status begin(std::size_t pass) override {
    at_ = 0;
    times_ = {};
    return rows_.begin(pass);
  }

  std::span<const Time> times() const override { return times_; }

  Result<bool> next(Examples& out) override {
    times_ = {};
    while (from_ < to_ && at_ < to_) {
      TRY(const bool has_rows, rows_.next(all_));
      if (!has_rows) return false;
      const std::uint64_t begin = std::max(at_, from_), end = std::min(at_ + all_.size(), to_);
      const std::uint64_t base = std::exchange(at_, at_ + all_.size());
      if (begin >= end) continue;
      out.clear();
      for (std::uint64_t row = begin; row < end; ++row) {
        append_row(all_, static_cast<std::size_t>(row - base), out);
      }
      if (!rows_.times().empty()) times_ = rows_.times().subspan(begin - base, end - begin);
      return true;
    }
    return false;
  }

  double share() const override {
    return to_ == 0 ? -1 : std::min(1.0, static_cast<double>(at_) / static_cast<double>(to_));
  }

 private:
  OutcomeSource& rows_;
  std::uint64_t from_, to_, at_ = 0;
  Examples all_;
  std::span<const Time> times_;
};

}  // namespace attune
