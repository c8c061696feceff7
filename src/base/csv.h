// CsvReader: the records of CSV text, strictly by RFC 4180: fields parted by commas, quoted with "
// when they hold commas, quotes (doubled) or line ends. A leading UTF-8 byte order mark and empty
// lines are skipped; lines end in LF or CRLF. Holds one record in memory. One thread.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/result.h"

namespace attune {

class CsvReader {
 public:
  static constexpr std::size_t kMaxRecordBytes = 1 << 20;
  explicit CsvReader(std::istream& in);  // must outlive this

  // The next record; false at the end. An error is of that record alone, field = its column from 1,
  // and the next call goes on with the next line; but after a quote that is never closed, or UTF-16
  // text, nothing is left.
  Result<bool> next(std::vector<std::string>& fields);
  std::uint64_t line() const { return first_line_; }  // where the last record began, from 1
  std::uint64_t bytes() const { return bytes_; }      // read so far

 private:
  int take();
  void skip_mark();
  bool end_line(int c);  // whether c begins a line end; takes all of it
  Status field(std::string& out, int& end);
  Status quoted(std::string& out, int& end);
  Status bare(std::string& out, int c, int& end);
  Error fault(std::string what, std::uint64_t at_line) const;
  void skip_line();

  std::istream& in_;
  std::uint64_t line_ = 1, first_line_ = 0, bytes_ = 0;
  std::size_t column_ = 0, record_bytes_ = 0;
  bool is_begun_ = false, is_over_ = false;
};

}  // namespace attune
