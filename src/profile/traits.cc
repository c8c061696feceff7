#include "profile/traits.h"

#include "base/bytes.h"

namespace attune {

Traits::Trait Traits::Iterator::operator*() const {
  Reader in(left_);
  const std::string_view name = in.str();
  return {name, in.str()};
}

Traits::Iterator& Traits::Iterator::operator++() {
  Reader in(left_);
  in.str();
  in.str();
  left_ = left_.substr(left_.size() - in.left());
  return *this;
}

std::size_t Traits::size() const {
  std::size_t n = 0;
  for (auto at = begin(); at != end(); ++at) ++n;
  return n;
}

std::string_view Traits::find(std::string_view name) const {
  for (const Trait& trait : *this) {
    if (trait.name == name) return trait.value;
  }
  return {};
}

bool Traits::set(std::string_view name, std::string_view value) {
  if (name.size() > kTraitBytes || value.size() > kTraitBytes || value.empty()) return false;
  std::size_t from = 0, to = 0;  // the bytes the new trait takes the place of
  for (const Trait& trait : *this) {
    const auto end = static_cast<std::size_t>(trait.value.end() - bytes_.data());
    if (trait.name < name) from = to = end;
    if (trait.name == name) to = end;
    if (trait.name >= name) break;
  }
  std::string added;
  Writer writer(added);
  writer.str(name);
  writer.str(value);
  if (bytes_.size() - (to - from) + added.size() > kAllTraitsBytes) return false;
  bytes_.replace(from, to - from, added);
  return true;
}

bool Traits::assign(std::string_view bytes) {
  if (bytes.size() > kAllTraitsBytes) return false;
  std::string_view last;
  bool is_first = true;
  for (Reader in(bytes); !in.done();) {
    const std::size_t before = in.left();
    const std::string_view name = in.str(), value = in.str();
    const std::size_t lengths = before - in.left() - name.size() - value.size();
    if (lengths != (name.size() < 128 ? 1U : 2U) + (value.size() < 128 ? 1U : 2U)) return false;
    if (!in.ok() || name.size() > kTraitBytes || value.size() > kTraitBytes) return false;
    if (value.empty() || (!is_first && !(last < name))) return false;
    last = name;
    is_first = false;
  }
  bytes_.assign(bytes);
  return true;
}

}  // namespace attune
