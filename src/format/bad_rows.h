// BadRows: how many rows were left out, and the first of them. One thread.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "format/example_reader.h"

namespace attune {

class BadRows {
 public:
  void add(std::uint64_t line, std::string column, std::string reason) {
    ++count_;
    if (first_.size() < ExampleReader::kMostBadKept) {
      first_.push_back({line, std::move(column), std::move(reason)});
    }
  }
  std::uint64_t count() const { return count_; }
  std::span<const BadRow> first() const { return first_; }

 private:
  std::uint64_t count_ = 0;
  std::vector<BadRow> first_;
};

}  // namespace attune
