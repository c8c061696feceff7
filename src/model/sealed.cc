#include "model/sealed.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace attune {

void seal(std::string_view magic, std::uint32_t version, std::string_view body, std::string& out) {
  const std::size_t begin = out.size();
  out.append(magic);
  Writer w(out);
  w.u32(version);
  out.append(body);
  w.u64(hash64(std::string_view(out).substr(begin)));
}

Result<std::string_view> unseal(std::string_view magic, std::uint32_t version,
                                std::string_view bytes) {
  const std::string what(magic);
  if (bytes.size() < magic.size() + 12 || bytes.substr(0, magic.size()) != magic) {
    return Error{Code::kCorrupt, what + ": not saved state of this kind"};
  }
  const std::string_view sealed = bytes.substr(0, bytes.size() - 8);
  if (Reader(bytes.substr(sealed.size())).u64() != hash64(sealed)) {
    return Error{Code::kCorrupt, what + ": checksum does not match"};
  }
  const std::uint32_t found = Reader(sealed.substr(magic.size())).u32();
  if (found != version) {
    return Error{Code::kInvalid,
                 what + ": version " + std::to_string(found) + ", this program reads version " +
                     std::to_string(version),
                 "", "use the program that saved it, or replay the journal"};
  }
  return sealed.substr(magic.size() + 4);
}

}  // namespace attune
