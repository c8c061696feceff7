#include "cli/bad_rows.h"

#include <filesystem>

namespace attune {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c == '\0' ? ' ' : c;
  }
  return out + '"';
}

}  // namespace

BadRowFile::BadRowFile(std::string chosen, const std::string& source)
    : chosen_(std::move(chosen)), beside_(source + ".bad.csv") {}

Status BadRowFile::open() {
  path_ = chosen_.empty() ? beside_ : chosen_;
  file_.open(path_, std::ios::binary | std::ios::trunc);
  if (!file_ && chosen_.empty()) {
    path_ = std::filesystem::path(beside_).filename().string();
    file_.clear();
    file_.open(path_, std::ios::binary | std::ios::trunc);
  }
  if (!file_) {
    return Error{Code::kUnavailable, "cannot write bad rows to " + path_, "bad",
                 "name another file with --bad"};
  }
  file_ << "line,column,reason,row\n";
  return ok_status();
}

Status BadRowFile::add(const BadRow& bad, std::string_view row) {
  if (!file_.is_open()) TRY_OK(open());
  file_ << bad.line << ',' << quoted(bad.column) << ',' << quoted(bad.reason) << ',' << quoted(row)
        << '\n';
  return ok_status();
}

Status BadRowFile::finish() {
  if (!file_.is_open() || file_.flush()) return ok_status();
  return Error{Code::kUnavailable, "cannot write all bad rows to " + path_, "bad",
               "check free space"};
}

}  // namespace attune
