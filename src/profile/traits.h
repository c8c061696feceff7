// Traits: name -> JSON text of a value, sorted by name, in one string: copied and stored whole.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace attune {

inline constexpr std::size_t kTraitBytes = 256;       // a longer name or value is left out
inline constexpr std::size_t kAllTraitsBytes = 1536;  // one that does not fit beside the others too

class Traits {
 public:
  struct Trait {
    std::string_view name, value;
  };
  class Iterator {
   public:
    explicit Iterator(std::string_view left) : left_(left) {}
    Trait operator*() const;
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return left_.size() != other.left_.size(); }

   private:
    std::string_view left_;
  };

  Traits() = default;
  Traits(std::initializer_list<Trait> list) {
    for (const Trait& trait : list) set(trait.name, trait.value);
  }
  Iterator begin() const { return Iterator(bytes_); }
  Iterator end() const { return Iterator({}); }
  bool empty() const { return bytes_.empty(); }
  std::size_t size() const;
  std::string_view find(std::string_view name) const;  // "" = none; no JSON text is empty
  // False when there is no room.
  bool set(std::string_view name, std::string_view value);
  const std::string& bytes() const { return bytes_; }
  // False, and nothing changes, when they are not what bytes() gives.
  bool assign(std::string_view bytes);
  bool operator==(const Traits&) const = default;

 private:
  std::string bytes_;  // (length, name, length, value)*, lengths as varints
};

}  // namespace attune
