// InputMap: the inputs of a network for rows of hashed features: a feature that was frequent enough
// among the rows learned from gets an input of its own, as fields of Examples; any other is left
// out. Immutable once made; safe to share.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
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

}  // namespace attune
