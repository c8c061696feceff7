#include "learn/cached_blocks.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/team.h"

namespace attune {
namespace {

constexpr std::size_t kAtOnce = 16;  // blocks brought into memory, and let go

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

std::string encoded(const RowNotes& notes) {
  std::string out;
  Writer w(out);
  w.varint(notes.fields.size());
  for (const std::string& name : notes.fields) w.str(name);
  w.varint(notes.bad_rows);
  w.varint(notes.first_bad.size());
  for (const BadRow& bad : notes.first_bad) {
    w.varint(bad.line);
    w.str(bad.column);
    w.str(bad.reason);
  }
  return out;
}

std::optional<RowNotes> decoded(std::string_view bytes) {
  RowNotes notes;
  Reader r(bytes);
  const std::uint64_t fields = r.varint();
  for (std::uint64_t i = 0; i < fields && r.ok(); ++i) notes.fields.emplace_back(r.str());
  notes.bad_rows = r.varint();
  const std::uint64_t told = r.varint();
  for (std::uint64_t i = 0; i < told && r.ok(); ++i) {
    BadRow& bad = notes.first_bad.emplace_back();
    bad.line = r.varint();
    bad.column = r.str();
    bad.reason = r.str();
  }
  return r.ok() && r.done() ? std::optional(std::move(notes)) : std::nullopt;
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
  TRY(RowCache cache, RowCache::open(cache_path_, source_));
  auto notes = decoded(cache.notes());
  if (!notes) return Error{Code::kCorrupt, cache_path_ + ": the row cache is damaged"};
  notes_ = std::move(*notes);
  cache_ = std::move(cache);
  return ok_status();
}

Status CachedBlocks::begin(std::size_t pass) {
  prefetch_.reset();
  handed_out_ = brought_ = read_ = let_go_ = 0;
  if (!cache_ && pass == 0) {
    TRY(writer_, RowCacheWriter::open(cache_path_, source_));
    return file_.begin(0);
  }
  if (!cache_) TRY_OK(open_cache());
  const auto read = [this](Examples& out) -> Result<bool> {
    if (read_ == cache_->blocks()) return false;
    bring();
    TRY_OK(cache_->read(read_++, out));
    let_go();
    return true;
  };
  prefetch_ = std::make_unique<Prefetch>(read, ahead_);
  return ok_status();
}

// What is to be read comes into memory, and what was read leaves it, a few megabytes at once.
void CachedBlocks::bring() {
  if (read_ < brought_) return;
  brought_ = std::min(read_ + kAtOnce, cache_->blocks());
  cache_->bring(read_, brought_);
}

void CachedBlocks::let_go() {
  if (read_ - let_go_ < kAtOnce && read_ < cache_->blocks()) return;
  cache_->let_go(let_go_, read_);
  let_go_ = read_;
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
    notes_ = {file_.fields(), file_.bad_rows(), file_.first_bad()};
    TRY_OK(writer_->finish(encoded(notes_)));
  }
  return has_rows;
}

Result<std::size_t> CachedBlocks::next_some(std::span<Examples> out, Team* team) {
  if (team == nullptr || !prefetch_ || ahead_ > 0) return BlockSource::next_some(out, team);
  const std::size_t blocks = std::min(out.size(), cache_->blocks() - read_);
  reading_ = {out.first(blocks), std::vector<Status>(team->size(), ok_status())};
  // Neighbours: a member learns, more or less, from what it has read.
  team->run(1, [this, members = team->size()](std::size_t, std::size_t member) {
    const std::size_t all = reading_.out.size();
    const std::size_t begin = all * member / members, end = all * (member + 1) / members;
    cache_->bring(read_ + begin, read_ + end);
    for (std::size_t b = begin; b < end; ++b) {
      const Status read = cache_->read(read_ + b, reading_.out[b]);
      if (!read.ok()) reading_.faults[member] = read;
    }
  });
  for (const Status& fault : reading_.faults) TRY_OK(fault);
  read_ += blocks;
  handed_out_ = read_;
  let_go();
  return blocks;
}

double CachedBlocks::share() const {
  if (!prefetch_) return file_.share();
  return static_cast<double>(handed_out_) /
         static_cast<double>(std::max<std::size_t>(cache_->blocks(), 1));
}

}  // namespace attune
