#include "model/persons_alike.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "APAL";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMostPersons = 65536;
constexpr std::size_t kMaxRecent = 30;
constexpr std::size_t kLeave = 64;  // persons at once, so that the oldest are looked for rarely
constexpr std::uint8_t kNotListed = 255;

// As the allocator gives it, with what shares it.
std::size_t bytes_of(const auto& takers) {
  return 48 + (takers.capacity() * sizeof(takers[0]) + 8 + 15) / 16 * 16;
}

float rare(std::uint32_t holders) { return 1 / std::sqrt(static_cast<float>(holders)); }
float out(std::uint32_t holders) { return std::pow(static_cast<float>(holders), -0.2F); }

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
  std::vector<Place> order = by_last();
  order.resize(std::min(order.size(), std::clamp<std::size_t>(options_.persons / 8, 1, kLeave)));
  for (const Place place : order) (void)forget(persons_[place].who);
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

// As the newest of the item's takers; the oldest beyond the limit is no longer listed.
void PersonsAlike::list(Place place, ItemKey item) {
  Item& held = items_.change(item);
  bytes_ -= bytes_of(*held.takers);
  std::vector<Place>& takers = held.takers.change();
  if (takers.size() >= options_.takers) takers.erase(takers.begin());
  takers.push_back(place);
  bytes_ += bytes_of(takers);
}

void PersonsAlike::unlist(Place place, ItemKey item) {
  const std::vector<Place>& listed = *items_.find(item)->takers;
  const auto at = std::find(listed.begin(), listed.end(), place) - listed.begin();
  if (static_cast<std::size_t>(at) == listed.size()) return;
  bytes_ -= bytes_of(listed);
  std::vector<Place>& takers = items_.change(item).takers.change();
  takers.erase(takers.begin() + at);
  bytes_ += bytes_of(takers);
}

void PersonsAlike::leave(Place place, ItemKey item) {
  unlist(place, item);
  Item& held = items_.change(item);
  if (--held.holders > 0) return;
  bytes_ -= bytes_of(*held.takers);
  items_.erase(item);
}

void PersonsAlike::append(Place place, ItemKey item) {
  Person& person = persons_.change(place);
  person.items[person.size++] = item;
  Item& held = items_.change(item);
  if (held.holders++ == 0) bytes_ += bytes_of(held.takers.change());
}

void PersonsAlike::learn(Surrogate person, ItemKey item) {
  if (person == Surrogate{} || item == ItemKey{}) return;
  const Place place = place_of(person);
  last_.change(place) = ++now_;
  Person& held = persons_.change(place);
  ItemKey* const end = held.items.data() + held.size;
  ItemKey* const again = std::find(held.items.data(), end, item);
  if (again != end) {
    std::rotate(again, again + 1, end);
    unlist(place, item);
  } else {
    if (held.size == options_.items) {
      leave(place, held.items[0]);
      std::move(held.items.data() + 1, end, held.items.data());
      --held.size;
    }
    append(place, item);
  }
  list(place, item);
}

bool PersonsAlike::forget(Surrogate person) {
  const Place* const held = places_.find(person);
  if (held == nullptr) return false;
  const Place place = *held;
  for (const ItemKey item : persons_[place].taken()) leave(place, item);
  persons_.change(place) = {};
  last_.change(place) = 0;
  places_.erase(person);
  free_.push_back(place);
  return true;
}

// Best first; of equal ones who took last.
std::vector<PersonsAlike::Alike> PersonsAlike::most_alike(std::span<const ItemKey> recent,
                                                          std::span<const Surrogate> own) const {
  std::vector<float> sums(persons_.size(), 0);
  std::vector<Alike> found;
  for (const ItemKey item : recent) {
    const Item* const held = items_.find(item);
    if (held == nullptr) continue;
    const float weight = rare(held->holders);
    for (const Place place : *held->takers) {
      if (sums[place] == 0) found.push_back({0, place});
      sums[place] += weight;
    }
  }
  for (const Surrogate person : own) {
    const Place* const place = places_.find(person);
    if (place != nullptr) sums[*place] = 0;
  }
  std::erase_if(found, [&](const Alike& one) { return sums[one.place] == 0; });
  for (Alike& one : found) {
    one.likeness = sums[one.place] * rare(persons_[one.place].size);
  }
  const auto end =
      found.begin() + static_cast<std::ptrdiff_t>(std::min(found.size(), options_.neighbours));
  std::partial_sort(found.begin(), end, found.end(), [&](const Alike& a, const Alike& b) {
    return a.likeness != b.likeness ? a.likeness > b.likeness : last_[a.place] > last_[b.place];
  });
  found.erase(end, found.end());
  return found;
}

std::vector<Neighbour> PersonsAlike::score(std::span<const ItemKey> recent,
                                           std::span<const Surrogate> own,
                                           std::size_t limit) const {
  std::vector<ItemKey> known(last_of(recent).begin(), last_of(recent).end());
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  const std::vector<Alike> alike = most_alike(known, own);
  ItemSums sums(alike.size() * options_.items);
  for (const Alike& one : alike) {
    for (const ItemKey item : persons_[one.place].taken()) sums.add(item, one.likeness);
  }
  std::vector<Neighbour> all = sums.all();
  std::erase_if(all, [&](const Neighbour& one) {
    return std::binary_search(known.begin(), known.end(), one.item);
  });
  for (Neighbour& one : all) one.count *= out(items_.find(one.item)->holders);
  return best_of(std::move(all), limit);
}

std::size_t PersonsAlike::memory_bytes() const {
  return places_.memory_bytes() + persons_.memory_bytes() + last_.memory_bytes() +
         free_.capacity() * sizeof(Place) + items_.memory_bytes() + bytes_;
}

std::size_t PersonsAlike::bytes_beside(const PersonsAlike& other) const {
  std::size_t bytes = places_.bytes_beside(other.places_) + persons_.bytes_beside(other.persons_) +
                      last_.bytes_beside(other.last_) + free_.capacity() * sizeof(Place) +
                      items_.bytes_beside(other.items_);
  items_.each_difference(other.items_, [&](ItemKey, const Item& mine, const Item* theirs) {
    if (theirs == nullptr || theirs->takers.get() != mine.takers.get()) {
      bytes += bytes_of(*mine.takers);
    }
  });
  return bytes;
}

// Each item and where the person is among its takers.
std::string PersonsAlike::row_of(Place place) const {
  std::string row;
  Writer w(row);
  for (const ItemKey item : persons_[place].taken()) {
    const std::vector<Place>& takers = *items_.find(item)->takers;
    const auto at = std::find(takers.begin(), takers.end(), place) - takers.begin();
    const bool is_listed = static_cast<std::size_t>(at) < takers.size();
    w.u64(raw(item));
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
    const ItemKey item{r.u64()};
    const std::uint8_t at = r.u8();
    const auto taken = persons_[place].taken();
    if (!r.ok() || item == ItemKey{} || taken.size() >= options_.items) return false;
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
