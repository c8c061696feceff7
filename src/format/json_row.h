// JsonRow: the fields of one line of JSONL. One thread.
#pragma once
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"

namespace attune {

class JsonRow {
 public:
  static constexpr std::size_t kMaxDepth = 64;
  struct Field {
    std::string_view name;
    std::string_view text;  // of a string; a number as written; true, false; "" for null; else JSON
  };
  JsonRow();
  JsonRow(const JsonRow&) = delete;
  JsonRow& operator=(const JsonRow&) = delete;
  ~JsonRow();
  // The fields of the object in `line`, in its order, valid until the next call; nested values as
  // compact JSON. kInvalid with field = the name at fault. At least TextWindow::kSlack bytes after
  // `line` must be readable.
  Result<std::span<const Field>> parse(std::string_view line);

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace attune
