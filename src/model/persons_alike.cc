#include "model/persons_alike.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "base/prefetch_line.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "APAL";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMostPersons = 65536;
constexpr std::size_t kMaxRecent = 30;
constexpr std::size_t kLeave = 512;  // persons at once, so that the oldest are looked for rarely
constexpr std::uint8_t kNotListed = 255;

// As the allocator gives it, with what shares it.
std::size_t bytes_of(const auto& takers) {
  return 48 + (takers.capacity() * sizeof(takers[0]) + 8 + 15) / 16 * 16;
}

float rare(std::uint32_t holders) { return 1 / std::sqrt(static_cast<float>(holders)); }

float out(std::uint32_t holders) {
  static const std::array<float, 1024> kFew = [] {
    std::array<float, 1024> all{};
    for (std::size_t d = 1; d < all.size(); ++d) all[d] = std::pow(static_cast<float>(d), -0.2F);
    return all;
  }();
  return holders < kFew.size() ? kFew[holders] : std::pow(static_cast<float>(holders), -0.2F);
}

std::span<const ItemKey> last_of(std::span<const ItemKey> recent) {
  return recent.last(std::min(recent.size(), kMaxRecent));
}

}  // namespace

PersonsAlike::PersonsAlike(const PersonsAlikeOptions& options) : options_(options) {
  CHECK(options.persons > 0 && options.persons <= kMostPersons);
  CHECK(options.items > 0 && options.items <= kMostItems);
  CHECK(options.takers > 0 && options.takers <= kNotListed);
}

// Held places from who took longest ago to who took last.
std::vector<PersonsAlike::Place> PersonsAlike::by_last() const {
  std::vector<Place> order;
  order.reserve(places_.size());
  for (std::size_t i = 0; i < last_.size(); ++i) {
    if (last_[i] != 0) order.push_back(static_cast<Place>(i));
  }
  std::sort(order.begin(), order.end(), [&](Place a, Place b) { return last_[a] < last_[b]; });
  return order;
}

void PersonsAlike::make_room() {
  std::vector<std::pair<std::uint64_t, Place>> held;
  held.reserve(places_.size());
  for (std::size_t i = 0; i < last_.size(); ++i) {
    if (last_[i] != 0) held.emplace_back(last_[i], static_cast<Place>(i));
  }
  const std::size_t leaving =
      std::min(held.size(), std::clamp<std::size_t>(options_.persons / 8, 1, kLeave));
  const auto end = held.begin() + static_cast<std::ptrdiff_t>(leaving);
  std::nth_element(held.begin(), end - 1, held.end());  // the others need no order
  std::sort(held.begin(), end);
  for (auto at = held.begin(); at != end; ++at) (void)forget(persons_[at->second].who);
}

PersonsAlike::Place PersonsAlike::place_of(Surrogate person) {
  if (const Place* const held = places_.find(person)) return *held;
  if (places_.size() >= options_.persons) make_room();
  Place place = 0;
  if (free_.empty()) {
    place = static_cast<Place>(persons_.size());
    persons_.resize(persons_.size() + 1);
    last_.resize(last_.size() + 1);
  } else {
    place = free_.back();
    free_.pop_back();
  }
  places_.change(person) = place;
  persons_.change(place).who = person;
  return place;
}

PersonsAlike::ItemPlace PersonsAlike::place_of(ItemKey item) {
  if (const ItemPlace* const held = item_places_.find(item)) return *held;
  ItemPlace place = 0;
  if (free_items_.empty()) {
    place = static_cast<ItemPlace>(items_.size());
    items_.resize(items_.size() + 1);
  } else {
    place = free_items_.back();
    free_items_.pop_back();
  }
  item_places_.change(item) = place;
  Item& held = items_.change(place);
  held.key = item;
  bytes_ += bytes_of(held.takers.change());
  return place;
}

void PersonsAlike::drop(ItemPlace item) {
  bytes_ -= bytes_of(*items_[item].takers);
  item_places_.erase(items_[item].key);
  items_.change(item) = {};
  free_items_.push_back(item);
}

// As the newest of the item's takers; the oldest beyond the limit is no longer listed.
void PersonsAlike::list(Place place, ItemPlace item) {
  Item& held = items_.change(item);
  bytes_ -= bytes_of(*held.takers);
  std::vector<Place>& takers = held.takers.change();
  if (takers.size() >= options_.takers) takers.erase(takers.begin());
  takers.push_back(place);
  bytes_ += bytes_of(takers);
}

void PersonsAlike::unlist(Place place, ItemPlace item) {
  const std::vector<Place>& listed = *items_[item].takers;
  const auto at = std::find(listed.begin(), listed.end(), place) - listed.begin();
  if (static_cast<std::size_t>(at) == listed.size()) return;
  bytes_ -= bytes_of(listed);
  std::vector<Place>& takers = items_.change(item).takers.change();
  takers.erase(takers.begin() + at);
  bytes_ += bytes_of(takers);
}

void PersonsAlike::leave(Place place, ItemPlace item) {
  unlist(place, item);
  if (--items_.change(item).holders == 0) drop(item);
}

void PersonsAlike::append(Place place, ItemPlace item) {
  Person& person = persons_.change(place);
  person.items[person.size++] = item;
  ++items_.change(item).holders;
}

void PersonsAlike::learn(Surrogate person, ItemKey item) {
  if (person == Surrogate{} || item == ItemKey{}) return;
  const Place place = place_of(person);
  const ItemPlace what = place_of(item);
  last_.change(place) = ++now_;
  Person& held = persons_.change(place);
  ItemPlace* const end = held.items.data() + held.size;
  ItemPlace* const again = std::find(held.items.data(), end, what);
  if (again != end) {
    std::rotate(again, again + 1, end);
    unlist(place, what);
  } else {
    if (held.size == options_.items) {
      leave(place, held.items[0]);
      std::move(held.items.data() + 1, end, held.items.data());
      --held.size;
    }
    append(place, what);
  }
  list(place, what);
}

bool PersonsAlike::forget(Surrogate person) {
  const Place* const held = places_.find(person);
  if (held == nullptr) return false;
  const Place place = *held;
  for (const ItemPlace item : persons_[place].taken()) leave(place, item);
  persons_.change(place) = {};
  last_.change(place) = 0;
  places_.erase(person);
  free_.push_back(place);
  return true;
}

// In an order that depends on their likeness alone, and of equal ones on who took last.
std::vector<PersonsAlike::Alike> PersonsAlike::most_alike(std::span<const ItemPlace> recent,
                                                          std::span<const Surrogate> own) const {
  std::vector<float> sums(persons_.size(), 0);
  std::vector<Alike> found;
  for (const ItemPlace item : recent) {
    const float weight = rare(items_[item].holders);
    for (const Place place : *items_[item].takers) {
      if (sums[place] == 0) found.push_back({0, place});
      sums[place] += weight;
    }
  }
  for (const Surrogate person : own) {
    const Place* const place = places_.find(person);
    if (place != nullptr) sums[*place] = 0;
  }
  std::erase_if(found, [&](const Alike& one) { return sums[one.place] == 0; });
  for (const Alike& one : found) prefetch_line(&persons_[one.place]);
  for (Alike& one : found) one.likeness = sums[one.place] * rare(persons_[one.place].size);
  const auto is_better = [&](const Alike& a, const Alike& b) {
    return a.likeness != b.likeness ? a.likeness > b.likeness : last_[a.place] > last_[b.place];
  };
  const auto end =
      found.begin() + static_cast<std::ptrdiff_t>(std::min(found.size(), options_.neighbours));
  std::nth_element(found.begin(), end, found.end(), is_better);
  found.erase(end, found.end());
  std::sort(found.begin(), found.end(), is_better);
  return found;
}

std::vector<Neighbour> PersonsAlike::score(std::span<const ItemKey> recent,
                                           std::span<const Surrogate> own,
                                           std::size_t limit) const {
  std::vector<ItemKey> keys(last_of(recent).begin(), last_of(recent).end());
  std::sort(keys.begin(), keys.end());  // sums of floats depend on the order
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::vector<ItemPlace> known;
  for (const ItemKey key : keys) {
    if (const ItemPlace* const held = item_places_.find(key)) known.push_back(*held);
  }
  const std::vector<Alike> alike = most_alike(known, own);
  std::size_t additions = 0;
  for (const Alike& one : alike) additions += persons_[one.place].size;
  Sums<ItemPlace, float> sums(additions);  // by place + 1, as 0 is none
  for (const Alike& one : alike) {
    for (const ItemPlace item : persons_[one.place].taken()) sums.add(item + 1, one.likeness);
  }
  std::vector<Neighbour> all;
  all.reserve(sums.size());
  std::sort(known.begin(), known.end());
  sums.each([&](ItemPlace next, float sum) {
    const Item& item = items_[next - 1];
    if (std::binary_search(known.begin(), known.end(), next - 1)) return;
    all.push_back({item.key, sum * out(item.holders)});
  });
  return best_of(std::move(all), limit);
}

std::size_t PersonsAlike::memory_bytes() const {
  return places_.memory_bytes() + persons_.memory_bytes() + last_.memory_bytes() +
         free_.capacity() * sizeof(Place) + item_places_.memory_bytes() + items_.memory_bytes() +
         free_items_.capacity() * sizeof(ItemPlace) + bytes_;
}

std::size_t PersonsAlike::bytes_beside(const PersonsAlike& other) const {
  std::size_t bytes = places_.bytes_beside(other.places_) + persons_.bytes_beside(other.persons_) +
                      last_.bytes_beside(other.last_) + free_.capacity() * sizeof(Place) +
                      item_places_.bytes_beside(other.item_places_) +
                      items_.bytes_beside(other.items_) +
                      free_items_.capacity() * sizeof(ItemPlace);
  items_.each_chunk_beside(other.items_, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto* const mine = items_[i].takers.get();
      if (mine != nullptr && mine != other.items_[i].takers.get()) bytes += bytes_of(*mine);
    }
  });
  return bytes;
}

// Each item and where the person is among its takers.
std::string PersonsAlike::row_of(Place place) const {
  std::string row;
  Writer w(row);
  for (const ItemPlace item : persons_[place].taken()) {
    const std::vector<Place>& takers = *items_[item].takers;
    const auto at = std::find(takers.begin(), takers.end(), place) - takers.begin();
    const bool is_listed = static_cast<std::size_t>(at) < takers.size();
    w.u64(raw(items_[item].key));
    w.u8(is_listed ? static_cast<std::uint8_t>(at) : kNotListed);
  }
  return row;
}

// From who took longest ago: the surrogate, and, sealed, what that person took.
void PersonsAlike::encode(std::string& out, const SealRow& seal_row) const {
  std::string body;
  Writer w(body);
  for (const Place place : by_last()) {
    const Surrogate who = persons_[place].who;
    const std::string row = seal_row ? seal_row(who, row_of(place)) : row_of(place);
    if (row.empty()) continue;  // the key is gone
    w.u64(raw(who));
    w.str(row);
  }
  seal(kMagic, kVersion, body, out);
}

// False: the bytes make no sense.
bool PersonsAlike::add_row(Surrogate who, std::string_view row, std::vector<Listed>& listed) {
  if (who == Surrogate{} || places_.contains(who) || places_.size() >= options_.persons) {
    return false;
  }
  const Place place = place_of(who);
  last_.change(place) = ++now_;
  Reader r(row);
  while (r.left() > 0) {
    const ItemKey key{r.u64()};
    const std::uint8_t at = r.u8();
    if (!r.ok() || key == ItemKey{} || persons_[place].size >= options_.items) return false;
    const ItemPlace item = place_of(key);
    const auto taken = persons_[place].taken();
    if (std::find(taken.begin(), taken.end(), item) != taken.end()) return false;
    append(place, item);
    if (at != kNotListed) listed.push_back({item, at, place});
  }
  return persons_[place].size > 0;
}

bool PersonsAlike::list_all(std::vector<Listed> listed) {
  std::sort(listed.begin(), listed.end(), [](const Listed& a, const Listed& b) {
    return a.item != b.item ? a.item < b.item : a.at < b.at;
  });
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const Listed& one = listed[i];
    const bool is_twice = i > 0 && listed[i - 1].item == one.item && listed[i - 1].at == one.at;
    if (is_twice || one.at >= options_.takers) return false;
    list(one.place, one.item);
  }
  return true;
}

Result<PersonsAlike> PersonsAlike::decode(std::string_view bytes, const OpenRow& open,
                                          const PersonsAlikeOptions& options) {
  const Error corrupt{Code::kCorrupt, "APAL: what persons took makes no sense"};
  TRY(const std::string_view body, unseal(kMagic, kVersion, bytes));
  PersonsAlike model(options);
  std::vector<Listed> listed;
  Reader r(body);
  while (r.ok() && r.left() > 0) {
    const Surrogate who{r.u64()};
    const std::string_view blob = r.str();
    if (!r.ok()) return corrupt;
    const auto row = open ? open(who, blob) : std::optional<std::string>(blob);
    if (row && !model.add_row(who, *row, listed)) return corrupt;
  }
  if (!r.ok() || !model.list_all(std::move(listed))) return corrupt;
  return model;
}

}  // namespace attune
