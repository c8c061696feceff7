// PersonsAlike: what the persons who took most alike took lately (user-user nearest neighbours), as
// a fold: of the persons who took something last, at most so many, their last items, and of each
// item its newest takers. It never says whose taste it was. An identity counts as a person.
// A function of the calls in their order. Copies share what neither has changed. One writer.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/cow_array.h"
#include "base/cow_map.h"
#include "base/result.h"
#include "model/item_sums.h"
#include "model/sealed.h"

namespace attune {

// Likeness to a person v who took d_v of the items held: the sum over what both took of d_i^-0.5,
// over sqrt(d_v), d_i being how many persons hold the item. score(j) = d_j^-0.2 * the sum of the
// likeness of the `neighbours` most alike who took j.
struct PersonsAlikeOptions {
  std::size_t persons = 16384;  // at most 65536; beyond, those who took longest ago leave
  std::size_t items = 32;       // of a person, the last; at most 32
  std::size_t takers = 64;      // of an item, the newest; at most 255
  std::size_t neighbours = 100;
};

class PersonsAlike {
 public:
  explicit PersonsAlike(const PersonsAlikeOptions& options = {});
  void learn(Surrogate person, ItemKey item);
  bool forget(Surrogate person);  // all of it, at once; false when nothing was held
  // For one who took `recent` (at most 30 are used, the last) and goes by the identities `own`, who
  // are no neighbours. Best first, ties by key; at most `limit`, none of `recent`.
  std::vector<Neighbour> score(std::span<const ItemKey> recent, std::span<const Surrogate> own,
                               std::size_t limit) const;
  std::size_t persons() const { return places_.size(); }
  // Canonical when nothing is sealed. Of a person only the surrogate is outside the seal; whom it
  // can no longer be opened for is left out.
  void encode(std::string& out, const SealRow& seal_row = nullptr) const;
  static Result<PersonsAlike> decode(std::string_view bytes, const OpenRow& open = nullptr,
                                     const PersonsAlikeOptions& options = {});

  std::size_t memory_bytes() const;
  // What this copy holds that the other does not.
  std::size_t bytes_beside(const PersonsAlike& other) const;

 private:
  static constexpr std::size_t kMostItems = 32;
  // Where a person and an item are; which place it is must not matter to anything.
  using Place = std::uint16_t;
  using ItemPlace = std::uint32_t;
  struct Person {
    Surrogate who{};
    std::uint32_t size = 0;
    std::array<ItemPlace, kMostItems> items{};  // the oldest first
    std::span<const ItemPlace> taken() const { return {items.data(), size}; }
  };
  struct Item {
    ItemKey key{};
    std::uint32_t holders = 0;
    CowPtr<std::vector<Place>> takers;  // some of the holders, the newest last
  };
  struct Alike {
    float likeness = 0;
    Place place = 0;
  };
  struct Listed {
    ItemPlace item = 0;
    std::uint8_t at = 0;  // among the item's takers
    Place place = 0;
  };

  Place place_of(Surrogate person);  // a new one when not held, as of an item
  ItemPlace place_of(ItemKey item);
  void drop(ItemPlace item);
  void make_room();
  void append(Place place, ItemPlace item);
  void list(Place place, ItemPlace item);
  void unlist(Place place, ItemPlace item);
  void leave(Place place, ItemPlace item);
  std::vector<Alike> most_alike(std::span<const ItemPlace> recent,
                                std::span<const Surrogate> own) const;
  std::vector<Place> by_last() const;
  std::string row_of(Place place) const;
  bool add_row(Surrogate who, std::string_view row, std::vector<Listed>& listed);
  bool list_all(std::vector<Listed> listed);

  PersonsAlikeOptions options_;
  CowMap<Surrogate, Place> places_;
  CowArray<Person, 4> persons_;        // by place
  CowArray<std::uint64_t, 256> last_;  // by place: when that person took last, 0 = free
  std::vector<Place> free_;            // places, to be used again
  CowMap<ItemKey, ItemPlace> item_places_;
  CowArray<Item, 16> items_;  // by place
  std::vector<ItemPlace> free_items_;
  std::uint64_t now_ = 0;  // how often something was taken
  std::size_t bytes_ = 0;  // of the lists of takers
};

}  // namespace attune
