// DivisibleReader: next() of a reader in two, so that several threads share the work: lines are
// taken by one after the other, and parsed by any.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "format/bad_rows.h"
#include "format/example_reader.h"

namespace attune {

// Some lines of a file, and what is wrong with rows among them.
struct RowText {
  struct Line {
    std::uint32_t begin, size;
    std::uint64_t number;  // in the file, from 1
  };
  std::string bytes;  // of the lines, and TextWindow::kSlack after them
  std::vector<Line> lines;
  BadRows bad;
};

class DivisibleReader : public ExampleReader {
 public:
  // `out` becomes the next lines, at most `most`, of at most kMostBlockBytes before the last; false
  // at the end. Errors as of next(), whose blocks are of the same lines.
  static constexpr std::size_t kMostBlockBytes = std::size_t{1} << 20;
  virtual Result<bool> take(std::size_t most, RowText& out) = 0;
  // `out` becomes the rows of the text, which may be none. Adds to text.bad. Safe on several
  // threads.
  virtual void parse(RowText& text, Examples& out) const = 0;
  // Counts what take() and parse() left out; of texts in the order of the file. While another
  // thread takes.
  virtual void count(const BadRows& bad) = 0;
};

}  // namespace attune
