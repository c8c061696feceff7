#include <sodium.h>

#include "fuzz.h"
#include "journal/seal.h"

namespace attune {

// Bytes that were sealed under the key, as someone who holds it might: unpacking must be safe.
// And what is sealed opens to itself.
void fuzz_one(std::string_view input) {
  const PayloadKey key{};
  Record record{.kind = Kind::kEvent, .received = {}, .payload = std::string(input)};
  CHECK(!open_payload(record, key).ok());
  record.payload = seal_payload(record, key).value();
  CHECK(open_payload(record, key).value() == input);
  std::string ad(25, '\0');  // what is authenticated of this record
  ad[0] = static_cast<char>(Kind::kEvent);
  std::string sealed(12 + input.size() + 16, '\0');
  auto* out = reinterpret_cast<unsigned char*>(sealed.data());
  crypto_aead_chacha20poly1305_ietf_encrypt(
      out + 12, nullptr, reinterpret_cast<const unsigned char*>(input.data()), input.size(),
      reinterpret_cast<const unsigned char*>(ad.data()), ad.size(), nullptr, out, key.data());
  record.payload = sealed;
  const auto opened = open_payload(record, key);
  CHECK(opened.ok() || opened.error().message.find("authentication") == std::string::npos);
}

}  // namespace attune
