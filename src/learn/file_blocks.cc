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
  divisible_ = reader_->divisible();
  reading_->share = -1;
  reading_->bad_rows = 0;
  Prefetch::Make parse;
  if (divisible_ != nullptr) {
    parse = [reader = divisible_](Prefetch::Block& block) {
      reader->parse(block.text, block.rows);
      return ok_status();
    };
  }
  const auto take = [this](Prefetch::Block& out) { return this->take(out); };
  prefetch_ = std::make_unique<Prefetch>(take, std::move(parse), is_ahead_);
  return ok_status();
}

// On one thread or another.
Result<bool> FileBlocks::take(Prefetch::Block& out) {
  const Result<bool> has_rows = divisible_ != nullptr ? divisible_->take(kBlockRows, out.text)
                                                      : reader_->next(kBlockRows, out.rows);
  const ByteSource& bytes = reader_->bytes();
  if (bytes.size() > 0) {
    reading_->share = static_cast<double>(bytes.taken()) / static_cast<double>(bytes.size());
  }
  if (divisible_ == nullptr) reading_->bad_rows = reader_->bad_rows();
  return has_rows;
}

Result<bool> FileBlocks::next(Examples& out) {
  CHECK(prefetch_ != nullptr);
  bool has_rows = true;
  std::swap(out, block_.rows);
  do {
    TRY(has_rows, prefetch_->next(block_));
    if (has_rows && divisible_ != nullptr) {
      divisible_->count(block_.text.bad);
      reading_->bad_rows = divisible_->bad_rows();
    }
  } while (has_rows && block_.rows.labels.empty());
  std::swap(out, block_.rows);
  if (!has_rows) {  // nobody reads any more
    const auto bad = reader_->first_bad();
    first_bad_.assign(bad.begin(), bad.end());
    options_.fields.assign(reader_->field_names().begin(), reader_->field_names().end());
  }
  return has_rows;
}

double FileBlocks::share() const { return reading_->share; }

std::uint64_t FileBlocks::bad_rows() const { return reading_->bad_rows; }

}  // namespace attune
