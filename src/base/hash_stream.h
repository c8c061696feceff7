// HashStream: hash64() and hash128() (hash.h) of bytes that come in pieces. One thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/hash.h"

namespace attune {

class HashStream {
 public:
  HashStream();
  void add(std::string_view bytes);
  // Of all bytes so far.
  std::uint64_t hash64() const;
  Hash128 hash128() const;

 private:
  struct Free {
    void operator()(void* state) const;
  };
  std::unique_ptr<void, Free> state_;
};

}  // namespace attune
