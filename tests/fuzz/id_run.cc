#include "journal/id_run.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "fuzz.h"

namespace attune {
namespace {

// The first 64 bytes and all after 128 get checksums that fit.
std::string repaired(std::string_view input) {
  std::string out = "ATTIDRN1";
  Writer writer(out);
  writer.u32(1);
  writer.u32(0);
  out.append(input.substr(0, 48));
  out.resize(64, '\0');
  writer.u64(hash64(out));
  out.resize(128, '\0');
  if (input.size() > 48) out.append(input.substr(48));
  writer.u64(hash64(std::string_view(out).substr(128)));
  return out;
}

}  // namespace

void fuzz_one(std::string_view input) {
  if (input.empty()) return;
  const std::string path = id_run_path(fuzz_folder(), 1, 1);
  write_file(path, input[0] == 'r' ? std::string(input.substr(1)) : repaired(input.substr(1)));
  const auto run = IdRun::open(path);
  if (!run.ok()) return;
  for (const std::uint64_t id : (*run)->ids()) (void)(*run)->contains(id);
  CHECK((*run)->filter().size() == (*run)->ids().size() / 24 + 1);
}

}  // namespace attune
