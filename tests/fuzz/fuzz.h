// What every fuzz target shares: each defines fuzz_one(), which must neither crash nor hang.
#pragma once
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/result.h"

namespace attune {

void fuzz_one(std::string_view input);

// A folder of this process, for parsers that read files.
inline const std::string& fuzz_folder() {
  struct Folder {
    Folder() { std::filesystem::create_directories(name); }
    ~Folder() { std::filesystem::remove_all(name); }
    const std::string name = "/tmp/attune_fuzz_" + std::to_string(::getpid());
  };
  static const Folder folder;
  return folder.name;
}

inline void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace attune

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  attune::fuzz_one({reinterpret_cast<const char*>(data), size});
  return 0;
}
