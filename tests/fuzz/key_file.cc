#include "base/bytes.h"
#include "base/hash.h"
#include "fuzz.h"
#include "journal/keyring.h"

namespace attune {
namespace {

// The file with its checksums made to fit.
std::string repaired(std::string_view input) {
  std::string out = "ATTKEYS1";
  Writer writer(out);
  writer.u32(1);
  writer.u32(0);
  out.append(32, 'm');
  writer.u64(hash64(out));
  for (; input.size() >= 64; input.remove_prefix(64)) {
    out.append(input.substr(0, 64));
    writer.u64(hash64(input.substr(0, 64)));
  }
  return out.append(input);
}

}  // namespace

// The first byte: 'r' the file as it is, else slots of 64 bytes under good checksums.
void fuzz_one(std::string_view input) {
  if (input.empty()) return;
  const std::string path = fuzz_folder() + "/keys";
  write_file(path, input[0] == 'r' ? std::string(input.substr(1)) : repaired(input.substr(1)));
  (void)open_keyring_reader(path);
  auto keyring = open_keyring(path, false);
  if (!keyring.ok()) return;
  const auto ann = (*keyring)->create(IdType::kUser, "ann");
  if (!ann.ok()) return;
  CHECK((*keyring)->sync().ok());
  keyring->reset();
  keyring = open_keyring(path, false);
  CHECK(keyring.ok());
  CHECK((*keyring)->find(IdType::kUser, "ann") == *ann);
}

}  // namespace attune
