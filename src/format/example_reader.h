// Files made for learners (Criteo TSV, Vowpal Wabbit text, libsvm, libffm) as Examples. Tables
// become Examples through a plan (feature/), not here. One thread.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/bytes.h"
#include "format/table.h"
#include "model/examples.h"

namespace attune {

enum class ExampleFormat { kCriteo, kVw, kLibsvm, kLibffm };
std::optional<ExampleFormat> example_format(std::string_view name);  // "criteo", "vw", ...

// Told the name of every feature read, "C3=a1b2c3d4"; for explaining weights, not for speed.
using NameSink = std::function<void(std::uint32_t hash, std::string_view name)>;

struct ExampleOptions {
  NameSink names = nullptr;
  // The field_names() of the file a model was trained on, so that a field has the same number in
  // both.
  std::vector<std::string> fields = {};
  // Integers of Criteo become numbers with one feature a column, none where they are missing, and
  // at most kMaxFeatureValue; instead of an id for each step of them.
  bool has_numbers = false;
};

class ExampleReader {
 public:
  static constexpr std::size_t kMaxRowBytes = TableReader::kMaxRowBytes;
  static constexpr std::size_t kMaxFields = 65'535;
  static constexpr std::size_t kMostBadKept = 20;
  static Result<std::unique_ptr<ExampleReader>> open(const std::string& path, ExampleFormat format,
                                                     ExampleOptions options = {});
  static Result<std::unique_ptr<ExampleReader>> open(std::unique_ptr<ByteSource> bytes,
                                                     ExampleFormat format,
                                                     ExampleOptions options = {});
  virtual ~ExampleReader() = default;
  // `out` becomes the next rows, at most `most`; false at the end (then it is empty). Bad rows are
  // left out, counted, and the first kMostBadKept of them kept. After an error of the file (it is
  // cut off, say) all rows before it have been given.
  virtual Result<bool> next(std::size_t most, Examples& out) = 0;
  virtual std::uint64_t bad_rows() const = 0;
  virtual std::span<const BadRow> first_bad() const = 0;
  // Names of the fields seen so far, by number: I1 ... I13, C1 ... C26 of Criteo; namespaces of
  // Vowpal Wabbit in order of appearance; field numbers of libffm; one without name of libsvm.
  virtual std::span<const std::string> field_names() const = 0;
  std::size_t fields() const { return field_names().size(); }
  virtual const ByteSource& bytes() const = 0;
};

}  // namespace attune
