// Output: standard output, or a file that is written whole or reported as broken. Lines for people.
// One thread.
#pragma once
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace attune {

class Output {
 public:
  explicit Output(std::string path) : path_(std::move(path)) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() {
    if (file_ != nullptr && file_ != stdout) std::fclose(file_);
  }
  Status open() {
    file_ = path_ == "-" ? stdout : std::fopen(path_.c_str(), "wb");
    return file_ != nullptr ? ok_status() : failed();
  }
  Status write(std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), file_) == text.size() ? ok_status() : failed();
  }
  Status close() {
    const bool is_done = file_ == stdout ? std::fflush(stdout) == 0 : std::fclose(file_) == 0;
    file_ = nullptr;
    return is_done ? ok_status() : failed();
  }

 private:
  Status failed() const {
    return Error{Code::kUnavailable, "cannot write " + (path_ == "-" ? "standard output" : path_),
                 "output", "name a file in a folder you may write to, on a disk with room"};
  }
  const std::string path_;
  std::FILE* file_ = nullptr;
};

// On standard output, each with a line end.
inline void print_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::printf("%s\n", line.c_str());
}

}  // namespace attune
