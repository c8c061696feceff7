#include "format/namespaces.h"

#include "format/feature_hash.h"

namespace attune {
const Namespace& Namespaces::add(std::string_view name, std::uint16_t number) {
  if (2 * ++count_ > slots_.size()) {
    std::vector<Namespace> old(2 * slots_.size());
    old.swap(slots_);
    for (const Namespace& space : old) {
      if (space.is_there) insert(space);
    }
  }
  const std::uint64_t key = key_of(name);
  return insert({key, namespace_salt(name), static_cast<std::uint32_t>(name.size()), number, true});
}

const Namespace& Namespaces::insert(const Namespace& space) {
  std::size_t at = place(space.key);
  while (slots_[at].is_there) at = (at + 1) & (slots_.size() - 1);
  return slots_[at] = space;
}

}  // namespace attune
