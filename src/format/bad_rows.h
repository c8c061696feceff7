// BadRows: how many rows were left out, and the first of them. One thread.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "format/table.h"

namespace attune {

class BadRows {
 public:
  static constexpr std::size_t kMostKept = 20;
  void add(std::uint64_t line, std::string column, std::string reason) {
    add({line, std::move(column), std::move(reason)}, 1);
  }
  // Those of rows after its own.
  void add(const BadRows& later) {
    for (const BadRow& bad : later.first_) add(bad, 0);
    count_ += later.count_;
  }
  void clear() {
    count_ = 0;
    first_.clear();
  }
  std::uint64_t count() const { return count_; }
  std::span<const BadRow> first() const { return first_; }

 private:
  void add(BadRow bad, std::uint64_t rows) {
    count_ += rows;
    if (first_.size() < kMostKept) first_.push_back(std::move(bad));
  }

  std::uint64_t count_ = 0;
  std::vector<BadRow> first_;
};

}  // namespace attune
