// InputMap: the inputs of a network for rows of hashed features: a feature that was frequent enough
// among the rows learned from gets an input of its own, as fields of Examples; any other is left
// out. Immutable once made; safe to share.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "learn/block_source.h"
#include "model/examples.h"

namespace attune {

class InputMap {
 public:
  static constexpr std::size_t kMostInputs = 4096;
  // The features in at least `least` rows, the most frequent kMostInputs of them, numbered by
  // field, then hash.
  static InputMap make(const Examples& rows, std::uint32_t least);
  std::size_t inputs() const { return places_.size(); }
  // Rewrites fields as inputs and leaves out what has none.
  void apply(Examples& rows) const;
  void encode(std::string& out) const;
  static Result<InputMap> decode(std::string_view bytes);

 private:
  std::unordered_map<std::uint32_t, std::uint16_t> places_;  // by hash
};

// Rows of another source as a model takes them. Both must outlive it.
class MappedRows final : public BlockSource {
 public:
  MappedRows(BlockSource& rows, const std::optional<InputMap>& map) : rows_(rows), map_(map) {}
  Status begin(std::size_t pass) override { return rows_.begin(pass); }
  Result<bool> next(Examples& out) override {
    TRY(const bool has_rows, rows_.next(out));
    if (has_rows && map_) map_->apply(out);
    return has_rows;
  }
  Result<std::size_t> next_some(std::span<Examples> out, Team* team) override {
    TRY(const std::size_t blocks, rows_.next_some(out, team));
    for (std::size_t b = 0; map_ && b < blocks; ++b) map_->apply(out[b]);
    return blocks;
  }
  double share() const override { return rows_.share(); }

 private:
  BlockSource& rows_;
  const std::optional<InputMap>& map_;
};

}  // namespace attune
