#include "model/feature_names.h"

#include <zstd.h>

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "model/sealed.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "ANAM";
constexpr std::uint32_t kVersion = 1;
constexpr int kLevel = 3;

// At most `most` bytes, not in the middle of a UTF-8 character.
std::string_view cut(std::string_view name, std::size_t most) {
  if (name.size() <= most) return name;
  while (most > 0 && (static_cast<unsigned char>(name[most]) & 0xc0) == 0x80) --most;
  return name.substr(0, most);
}

std::string packed(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kLevel);
  CHECK(ZSTD_isError(size) == 0);
  out.resize(size);
  return out;
}

}  // namespace

void FeatureNames::add(std::uint32_t hash, std::string_view name) {
  if (names_.contains(hash)) return;
  name = cut(name, kMostNameBytes);
  const std::size_t bytes = name.size() + 6;  // hash and length
  if (names_.size() >= most_ || bytes > kMostBytes - bytes_) {
    is_whole_ = false;
    return;
  }
  names_.emplace(hash, name);
  bytes_ += bytes;
}

std::string_view FeatureNames::find(std::uint32_t hash) const {
  const auto at = names_.find(hash);
  return at == names_.end() ? std::string_view() : at->second;
}

void FeatureNames::encode(std::string& out) const {
  std::vector<std::pair<std::uint32_t, std::string_view>> sorted(names_.begin(), names_.end());
  std::sort(sorted.begin(), sorted.end());
  std::string plain, body;
  Writer names(plain), w(body);
  for (const auto& [hash, name] : sorted) {
    names.u32(hash);
    names.str(name);
  }
  w.u8(is_whole_ ? 1 : 0);
  w.varint(sorted.size());
  w.varint(plain.size());
  body += packed(plain);
  seal(kMagic, kVersion, body, out);
}

Result<FeatureNames> FeatureNames::decode(std::string_view bytes) {
  const Error corrupt{Code::kCorrupt, "ANAM: the names make no sense"};
  TRY(const std::string_view body, unseal(kMagic, kVersion, bytes));
  Reader r(body);
  const bool is_whole = r.u8() != 0;
  const std::uint64_t count = r.varint(), size = r.varint();
  if (!r.ok() || count > kMostNames || size > kMostBytes || size < count * 5) return corrupt;
  const std::string_view rest = r.bytes(r.left());
  std::string plain(size, '\0');
  const std::size_t got = ZSTD_decompress(plain.data(), size, rest.data(), rest.size());
  if (ZSTD_isError(got) != 0 || got != size) return corrupt;
  FeatureNames names;
  Reader in(plain);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const std::uint32_t hash = in.u32();
    names.add(hash, in.str());
  }
  if (!in.ok() || !in.done() || names.size() != count) return corrupt;
  names.is_whole_ = is_whole;
  return names;
}

}  // namespace attune
