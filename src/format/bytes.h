// Where the bytes of a file come from: as they are, or unpacked from gzip or zstd (told by their
// first bytes, not by the name). One thread.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace attune {

class ByteSource {
 public:
  // path: a file, or "-" for standard input. kNotFound when it cannot be read.
  static Result<std::unique_ptr<ByteSource>> open(const std::string& path);
  // Bytes in memory, unpacked like those of a file; `name` is how errors call them.
  static Result<std::unique_ptr<ByteSource>> of_memory(std::string bytes, std::string name);
  virtual ~ByteSource() = default;
  // Fills some of `out`, which is not empty; 0 at the end. kCorrupt when a packed file is cut off
  // or damaged: what could be unpacked before the damage is given first. After an error or the end
  // it stays so.
  virtual Result<std::size_t> read(std::span<char> out) = 0;
  // Bytes of the file taken so far (packed ones count as they lie on disk), and in all; 0 =
  // unknown.
  virtual std::uint64_t taken() const = 0;
  virtual std::uint64_t size() const = 0;
  virtual const std::string& name() const = 0;  // for messages: its path
};

// Reads until `out` is full or the bytes end; less than asked = the end.
Result<std::size_t> read_full(ByteSource& source, std::span<char> out);

}  // namespace attune
