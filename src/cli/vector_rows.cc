#include "cli/vector_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "catalog/item_vector.h"
#include "format/npy.h"
#include "format/text_lines.h"

namespace attune {
namespace {

constexpr std::size_t kMostIdBytes = 4096;  // of a line; an id is checked with its item

class VectorRows final : public ItemRows {
 public:
  VectorRows(NpyReader vectors, TextWindow ids, Time now)
      : ItemRows(now), vectors_(std::move(vectors)), ids_(std::move(ids), kMostIdBytes) {}
  const ByteSource& bytes() const override { return vectors_.bytes(); }
  std::string note() const override {
    return fmt::format("{} vectors of {} numbers", vectors_.header().rows,
                       vectors_.header().columns);
  }

 protected:
  std::uint64_t line() const override { return ids_.line(); }
  std::span<const float> vector() const override { return numbers_; }
  Result<Next> read(std::string& json, BadRow& bad) override {
    TRY(numbers_, vectors_.next());
    TRY(const auto what, next_id());
    if (numbers_.empty() || what == TextLines::Next::kEnd) return end(what);
    if (what == TextLines::Next::kTooLong) {
      bad = {line(), "id", "is longer than 256 bytes"};
      return Next::kBad;
    }
    const auto wrong = std::ranges::find_if(numbers_, [](float x) { return !std::isfinite(x); });
    if (wrong != numbers_.end()) {
      bad = {line(), "vector",
             fmt::format("number {} is {}, must be finite", wrong - numbers_.begin() + 1, *wrong)};
      return Next::kBad;
    }
    JsonWriter(json).begin_object().field("id", ids_.text()).end_object();
    return Next::kRow;
  }

 private:
  Result<TextLines::Next> next_id() {
    while (true) {
      TRY(const auto what, ids_.next());
      if (what != TextLines::Next::kLine || !ids_.text().empty()) return what;
    }
  }
  // Both files end together.
  Result<Next> end(TextLines::Next id) const {
    if (numbers_.empty() && id == TextLines::Next::kEnd) return Next::kEnd;
    return Error{
        Code::kInvalid,
        fmt::format("{} has {} rows, but {} has {} ids", bytes().name(), vectors_.header().rows,
                    ids_.window().bytes().name(), numbers_.empty() ? "more" : "fewer"),
        "ids", "one id a line, in the order of the rows"};
  }

  NpyReader vectors_;
  TextLines ids_;
  std::span<const float> numbers_;
};

}  // namespace

Result<std::unique_ptr<ItemRows>> open_vector_rows(std::unique_ptr<ByteSource> vectors,
                                                   std::unique_ptr<ByteSource> ids, Time now) {
  TRY(NpyReader reader, NpyReader::open(std::move(vectors)));
  if (reader.header().columns > kMostVector) {
    return Error{Code::kInvalid,
                 fmt::format("{}: its rows have {} numbers, a vector has at most {}",
                             reader.bytes().name(), reader.header().columns, kMostVector)};
  }
  TRY(TextWindow window, TextWindow::open(std::move(ids), std::nullopt));
  return std::unique_ptr<ItemRows>(
      std::make_unique<VectorRows>(std::move(reader), std::move(window), now));
}

}  // namespace attune
