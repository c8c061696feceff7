// ItemFactors: items as short vectors, learned of who took what (implicit_factors.h), and nothing
// of persons. The vector of a person is solved for from the last items taken, then the items are
// found whose product with it is greatest: two towers, of which one is a ridge solve. Many items
// lie in lists of near ones, of which a few are looked at. Immutable once made: safe to share.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "model/factor_solver.h"
#include "model/implicit_factors.h"
#include "model/item_sums.h"
#include "model/near_lists.h"

namespace attune {

inline constexpr const char* kFactorsKind = "factors";  // of a model file, and its section
inline constexpr const char* kItemsInput = "items";     // what it takes: items a person took

class ItemFactors {
 public:
  static constexpr std::size_t kListed = 100'000;  // from so many items on they lie in lists
  // What was learned of items[i], whose vector is the i-th of `factors`. Lists of near items are
  // made and tried with vectors of its persons: near_lists.h has what it costs.
  ItemFactors(std::vector<ItemKey> items, const ImplicitFactors& factors,
              const ImplicitFactorsOptions& options);

  // The vector of one who took `recent` (at most 30 are used, the last); empty when none is known.
  std::vector<float> person(std::span<const ItemKey> recent) const;
  // For one who took `recent`: best first, ties by key; at most `limit`, none of `recent`. O(items
  // looked at * size): of every item, or of the nearest lists when there are lists.
  std::vector<Neighbour> score(std::span<const ItemKey> recent, std::size_t limit) const;

  std::size_t size() const { return items_.size(); }
  const NearLists* lists() const { return lists_ ? &*lists_ : nullptr; }  // null = none
  std::size_t memory_bytes() const;
  // Without the lists.
  void encode(std::string& out) const;
  static Result<ItemFactors> decode(std::string_view bytes);
  // A model file (model_file.h) of the section "factors", and "near_lists"; gives its id.
  Result<std::string> save(const std::string& path) const;
  // kNotFound, kCorrupt (damage), kInvalid (a model file of another kind).
  static Result<ItemFactors> load(const std::string& path);

 private:
  explicit ItemFactors(const FactorRidge& ridge) : ridge_(ridge) {}
  std::span<const float> vector(std::size_t i) const {
    return std::span(vectors_).subspan(i * ridge_.size, ridge_.size);
  }
  void lay_in_lists(const ImplicitFactors& factors, std::uint64_t seed);
  bool index();  // false: an item comes twice

  FactorRidge ridge_;
  std::vector<ItemKey> items_;
  std::vector<float> vectors_, gram_;
  std::optional<NearLists> lists_;
  std::unordered_map<ItemKey, std::uint32_t, IdHash> places_;
};

}  // namespace attune
