#include "learn/cached_blocks.h"

#include <fmt/format.h>

#include <filesystem>

namespace attune {
namespace {

// Another size, time or name is another file.
Result<Hash128> source_of(const std::string& path, const std::string& format) {
  std::error_code fault;
  const auto size = std::filesystem::file_size(path, fault);
  if (fault) {
    return Error{Code::kInvalid, fmt::format("--cache: {} is no file whose rows can be kept", path),
                 "cache", "leave out --cache"};
  }
  const auto time = std::filesystem::last_write_time(path, fault).time_since_epoch().count();
  return hash128(fmt::format("{}|{}|{}|{}", path, size, time, format));
}

}  // namespace

Result<std::unique_ptr<CachedBlocks>> CachedBlocks::open(FileBlocks& file, const std::string& path,
                                                         const std::string& format,
                                                         const std::string& cache) {
  TRY(const Hash128 source, source_of(path, format));
  std::unique_ptr<CachedBlocks> blocks(new CachedBlocks(file, cache, source));
  blocks->is_reused_ = blocks->open_cache().ok();
  return blocks;
}

Status CachedBlocks::open_cache() {
  TRY(cache_, RowCache::open(cache_path_, source_));
  return ok_status();
}

Status CachedBlocks::begin(std::size_t pass) {
  prefetch_.reset();
  handed_out_ = read_ = 0;
  if (!cache_ && pass == 0) {
    TRY(writer_, RowCacheWriter::open(cache_path_, source_));
    return file_.begin(0);
  }
  if (!cache_) TRY_OK(open_cache());
  prefetch_ = std::make_unique<Prefetch>([this](Examples& out) -> Result<bool> {
    if (read_ == cache_->blocks()) return false;
    TRY_OK(cache_->read(read_++, out));
    return true;
  });
  return ok_status();
}

Result<bool> CachedBlocks::next(Examples& out) {
  if (prefetch_) {
    ++handed_out_;
    return prefetch_->next(out);
  }
  CHECK(writer_.has_value());
  TRY(const bool has_rows, file_.next(out));
  if (has_rows) {
    TRY_OK(writer_->add(out));
  } else {
    TRY_OK(writer_->finish());
  }
  return has_rows;
}

double CachedBlocks::share() const {
  if (!prefetch_) return file_.share();
  return static_cast<double>(handed_out_) /
         static_cast<double>(std::max<std::size_t>(cache_->blocks(), 1));
}

}  // namespace attune
