// Files made for learners (Criteo TSV, Vowpal Wabbit text, libsvm, libffm) as Examples. Tables
// become Examples through a plan (feature/), not here. One thread.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "format/bytes.h"
#include "format/table.h"
#include "model/examples.h"

namespace attune {

enum class ExampleFormat { kCriteo, kVw, kLibsvm, kLibffm };
std::optional<ExampleFormat> example_format(std::string_view name);  // "criteo", "vw", ...

// The hash of a token of a field: what a feature is called inside. Salted by the field, so that the
// same text in two fields is two features.
std::uint32_t feature_hash(std::uint32_t field, std::string_view token);

// Told the name of every feature read, "C3=a1b2c3d4"; for explaining weights, not for speed.
using NameSink = std::function<void(std::uint32_t hash, std::string_view name)>;

class ExampleReader {
 public:
  static Result<std::unique_ptr<ExampleReader>> open(const std::string& path, ExampleFormat format,
                                                     NameSink names = nullptr);
  virtual ~ExampleReader() = default;
  // `out` becomes the next rows, at most `most`; false at the end (then it is empty). Bad rows are
  // left out, counted, and the first of them kept.
  virtual Result<bool> next(std::size_t most, Examples& out) = 0;
  virtual std::uint64_t bad_rows() const = 0;
  virtual std::span<const BadRow> first_bad() const = 0;
  virtual std::size_t fields() const = 0;  // seen so far: 39 for Criteo
  virtual const ByteSource& bytes() const = 0;
};

}  // namespace attune
