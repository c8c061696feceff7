#include "format/bytes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "format/unpack.h"

namespace attune {
namespace {

// Neither file descriptor nor string is touched by anybody else.
class FileSource final : public ByteSource {
 public:
  FileSource(int file, std::uint64_t size, std::string name)
      : file_(file), size_(size), name_(std::move(name)) {}
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override {
    if (file_ != STDIN_FILENO) ::close(file_);
  }
  Result<std::size_t> read(std::span<char> out) override {
    ssize_t got = 0;
    do {
      got = ::read(file_, out.data(), out.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      return Error{Code::kUnavailable, fmt::format("{}: cannot be read after {} bytes: {}", name_,
                                                   taken_, std::strerror(errno))};
    }
    taken_ += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }
  std::uint64_t taken() const override { return taken_; }
  std::uint64_t size() const override { return size_; }
  const std::string& name() const override { return name_; }

 private:
  const int file_;
  const std::uint64_t size_;
  const std::string name_;
  std::uint64_t taken_ = 0;
};

class MemorySource final : public ByteSource {
 public:
  MemorySource(std::string bytes, std::string name)
      : bytes_(std::move(bytes)), name_(std::move(name)) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t count = std::min(out.size(), bytes_.size() - taken_);
    std::memcpy(out.data(), bytes_.data() + taken_, count);
    taken_ += count;
    return count;
  }
  std::uint64_t taken() const override { return taken_; }
  std::uint64_t size() const override { return bytes_.size(); }
  const std::string& name() const override { return name_; }

 private:
  const std::string bytes_, name_;
  std::size_t taken_ = 0;
};

// Gives the first bytes again, which were read to see what the file is.
class Rewound final : public ByteSource {
 public:
  Rewound(std::string head, std::unique_ptr<ByteSource> rest)
      : head_(std::move(head)), rest_(std::move(rest)) {}
  Result<std::size_t> read(std::span<char> out) override {
    if (given_ == head_.size()) return rest_->read(out);
    const std::size_t count = std::min(out.size(), head_.size() - given_);
    std::memcpy(out.data(), head_.data() + given_, count);
    given_ += count;
    return count;
  }
  std::uint64_t taken() const override { return rest_->taken() - (head_.size() - given_); }
  std::uint64_t size() const override { return rest_->size(); }
  const std::string& name() const override { return rest_->name(); }

 private:
  const std::string head_;
  const std::unique_ptr<ByteSource> rest_;
  std::size_t given_ = 0;
};

Result<std::unique_ptr<ByteSource>> unpacked(std::unique_ptr<ByteSource> raw) {
  std::string head(kMagicBytes, '\0');
  TRY(const std::size_t got, read_full(*raw, head));
  head.resize(got);
  const Packing packing = packing_of(head);
  auto whole = std::make_unique<Rewound>(std::move(head), std::move(raw));
  if (packing == Packing::kGzip) return unpack_gzip(std::move(whole));
  if (packing == Packing::kZstd) return unpack_zstd(std::move(whole));
  return std::unique_ptr<ByteSource>(std::move(whole));
}

}  // namespace

Result<std::size_t> read_full(ByteSource& source, std::span<char> out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    TRY(const std::size_t got, source.read(out.subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

Result<std::unique_ptr<ByteSource>> ByteSource::open(const std::string& path) {
  const bool is_stdin = path == "-";
  const int file = is_stdin ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  const bool is_there = file >= 0 && ::fstat(file, &status) == 0;
  if (!is_there || S_ISDIR(status.st_mode)) {
    const std::string why = is_there ? "it is a folder" : std::strerror(errno);
    if (file >= 0 && !is_stdin) ::close(file);
    return Error{Code::kNotFound, fmt::format("cannot read {}: {}", path, why)};
  }
  const auto size = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
  return unpacked(
      std::make_unique<FileSource>(file, size, is_stdin ? std::string("standard input") : path));
}

Result<std::unique_ptr<ByteSource>> ByteSource::of_memory(std::string bytes, std::string name) {
  return unpacked(std::make_unique<MemorySource>(std::move(bytes), std::move(name)));
}

}  // namespace attune
