#include "base/csv.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <istream>

namespace attune {
namespace {

constexpr int kEnd = std::char_traits<char>::eof();
constexpr int kLineEnd = '\n';  // what ended a field: this, ',' or kEnd

}  // namespace

CsvReader::CsvReader(std::istream& in) : in_(in) {}

int CsvReader::take() {
  std::streambuf& buffer = *in_.rdbuf();
  const int c = buffer.sbumpc();
  if (c == kEnd) return kEnd;
  ++bytes_;
  ++record_bytes_;
  if (c == '\n') ++line_;
  return c;
}

bool CsvReader::end_line(int c) {
  if (c == '\n') return true;
  if (c != '\r' || in_.rdbuf()->sgetc() != '\n') return false;
  (void)take();
  return true;
}

Error CsvReader::fault(std::string what, std::uint64_t at_line) const {
  return {Code::kInvalid, fmt::format("line {}: {}", at_line, what), std::to_string(column_), ""};
}

void CsvReader::skip_line() {
  const std::uint64_t line = line_;
  while (line_ == line) {
    if (take() == kEnd) return;
  }
}

void CsvReader::skip_mark() {
  is_begun_ = true;
  const int first = in_.rdbuf()->sgetc();
  if (first != 0xef) return;
  for (const int byte : {0xef, 0xbb, 0xbf}) {
    if (in_.rdbuf()->sgetc() != byte) return;  // then the first field is not UTF-8, and is refused
    (void)take();
  }
}

Status CsvReader::quoted(std::string& out, int& end) {
  const std::uint64_t opened = line_;
  while (true) {
    int c = take();
    if (c == kEnd || record_bytes_ > kMaxRecordBytes) {
      is_over_ = true;
      return fault(c == kEnd ? "a quote is opened and never closed"
                             : "a quote is opened and not closed within 1 MB",
                   opened);
    }
    if (c != '"') {
      if (c == '\r' && end_line(c)) c = '\n';
      out.push_back(static_cast<char>(c));
      continue;
    }
    if (in_.rdbuf()->sgetc() == '"') {
      out.push_back(static_cast<char>(take()));
      continue;
    }
    const std::uint64_t at = line_;
    c = take();
    if (c == kEnd || c == ',') {
      end = c;
      return ok_status();
    }
    if (end_line(c)) {
      end = kLineEnd;
      return ok_status();
    }
    skip_line();
    return fault("text after a closing quote; a quote within quotes is written twice", at);
  }
}

Status CsvReader::bare(std::string& out, int c, int& end) {
  const std::uint64_t at = line_;
  while (true) {
    if (c == kEnd || c == ',') {
      end = c;
      return ok_status();
    }
    if (end_line(c)) {
      end = kLineEnd;
      return ok_status();
    }
    if (c == '"' || c == '\r' || c == 0 || record_bytes_ > kMaxRecordBytes) {
      skip_line();
      return fault(c == '"'    ? "a quote inside a field that is not quoted"
                   : c == '\r' ? "a carriage return without a line feed"
                   : c == 0    ? "a zero byte; the file must be UTF-8 text"
                               : "a record longer than 1 MB",
                   at);
    }
    out.push_back(static_cast<char>(c));
    c = take();
  }
}

Status CsvReader::field(std::string& out, int& end) {
  const int c = take();
  return c == '"' ? quoted(out, end) : bare(out, c, end);
}

Result<bool> CsvReader::next(std::vector<std::string>& fields) {
  if (!is_begun_) skip_mark();
  fields.clear();
  while (!is_over_) {
    const int c = in_.rdbuf()->sgetc();
    if (c == kEnd) break;
    first_line_ = line_;
    record_bytes_ = 0;
    column_ = 0;
    for (int end = ','; end == ',';) {
      ++column_;
      TRY_OK(field(fields.emplace_back(), end));
      if (end == kEnd) is_over_ = true;
    }
    if (fields.size() == 1 && fields[0].empty() && c != '"') {  // an empty line
      fields.clear();
      continue;
    }
    for (column_ = 1; column_ <= fields.size(); ++column_) {
      const std::string& text = fields[column_ - 1];
      if (simdjson::validate_utf8(text.data(), text.size())) continue;
      const bool is_wide = first_line_ == 1 && column_ == 1 && text.starts_with("\xff\xfe");
      return fault(is_wide ? "the file is UTF-16; save it as UTF-8" : "not UTF-8", first_line_);
    }
    return true;
  }
  return false;
}

}  // namespace attune
