// Manifest: what a backup says of itself, as JSON; the last file of its archive, so that one that
// was cut short has none. A workspace that holds one was just restored. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "engine/archive.h"
#include "event/id.h"

namespace attune {

inline constexpr std::string_view kManifestName = "manifest.json";

struct Manifest {
  Time time{};
  Position position = 0;             // the checkpoint inside is as of it; the journal may go on
  std::uint64_t key_check = 0;       // a keyed hash that tells its key file from others
  std::uint64_t key_file_bytes = 0;  // key files only grow: a smaller one is older
  std::vector<ArchivedFile> files;
};

std::string manifest_json(const Manifest& manifest);
Result<Manifest> parse_manifest(std::string_view json);

}  // namespace attune
