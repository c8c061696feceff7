// PackedRows: the items one decision showed with their feature rows, in few bytes: they wait by the
// ten thousand. Immutable; copies share it.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/decision.h"
#include "model/ftrl.h"

namespace attune {

inline constexpr std::size_t kMostShown = 128;  // of one decision; more are not learned from

class PackedRows {
 public:
  PackedRows() = default;
  // Features with values no model takes (kMaxFeatureValue) are left out.
  static PackedRows of(const std::vector<ShownItem>& shown);
  // The same bytes again; nullopt when they make no sense.
  static std::optional<PackedRows> from(std::string_view bytes);

  std::size_t size() const;                             // items
  std::optional<std::size_t> find(ItemKey item) const;  // the first such place
  std::vector<Feature> row(std::size_t place) const;
  // varint items; key u64 of each; of each: varint features, a bit per feature "its value is 1",
  // hash u32 of each, value f32 of each other one.
  std::string_view bytes() const { return bytes_ ? std::string_view(*bytes_) : kNone; }

 private:
  static constexpr std::string_view kNone{"\0", 1};
  std::shared_ptr<const std::string> bytes_;
};

}  // namespace attune
