#include "base/hash_stream.h"

#include <xxhash.h>

#include "base/result.h"

namespace attune {
namespace {

XXH3_state_t* xxh(void* state) { return static_cast<XXH3_state_t*>(state); }

}  // namespace

void HashStream::Free::operator()(void* state) const { XXH3_freeState(xxh(state)); }

// The state of both widths is one and the same.
HashStream::HashStream() : state_(XXH3_createState()) {
  CHECK(state_ != nullptr);
  XXH3_128bits_reset(xxh(state_.get()));
}

void HashStream::add(std::string_view bytes) {
  XXH3_128bits_update(xxh(state_.get()), bytes.data(), bytes.size());
}

std::uint64_t HashStream::hash64() const { return XXH3_64bits_digest(xxh(state_.get())); }

Hash128 HashStream::hash128() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(xxh(state_.get()));
  return {hash.low64, hash.high64};
}

}  // namespace attune
