#include "learn/file_blocks.h"

#include <atomic>
#include <utility>

namespace attune {

struct FileBlocks::Reading {
  std::atomic<double> share{-1};
  std::atomic<std::uint64_t> bad_rows{0};
};

FileBlocks::FileBlocks(std::string path, ExampleFormat format, ExampleOptions options)
    : path_(std::move(path)),
      format_(format),
      options_(std::move(options)),
      reading_(std::make_unique<Reading>()) {}

FileBlocks::~FileBlocks() = default;

Status FileBlocks::begin(std::size_t pass) {
  if (pass > 0 && path_ == "-") {
    return Error{Code::kInvalid, "standard input can be read only once", "passes",
                 "name a file, or use --passes 1"};
  }
  prefetch_.reset();
  if (pass > 0) options_.names = nullptr;
  TRY(reader_, ExampleReader::open(path_, format_, options_));
  reading_->share = -1;
  reading_->bad_rows = 0;
  prefetch_ = std::make_unique<Prefetch>([this](Examples& out) { return read(out); }, ahead_);
  return ok_status();
}

// On the other thread.
Result<bool> FileBlocks::read(Examples& out) {
  const Result<bool> has_rows = reader_->next(kBlockRows, out);
  const ByteSource& bytes = reader_->bytes();
  if (bytes.size() > 0) {
    reading_->share = static_cast<double>(bytes.taken()) / static_cast<double>(bytes.size());
  }
  reading_->bad_rows = reader_->bad_rows();
  return has_rows;
}

Result<bool> FileBlocks::next(Examples& out) {
  CHECK(prefetch_ != nullptr);
  TRY(const bool has_rows, prefetch_->next(out));
  if (!has_rows) {  // the other thread has ended
    const auto bad = reader_->first_bad();
    first_bad_.assign(bad.begin(), bad.end());
    options_.fields.assign(reader_->field_names().begin(), reader_->field_names().end());
  }
  return has_rows;
}

double FileBlocks::share() const { return reading_->share; }

std::uint64_t FileBlocks::bad_rows() const { return reading_->bad_rows; }

}  // namespace attune
