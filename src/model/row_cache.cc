#include "model/row_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "model/row_block.h"

namespace attune {
namespace {

constexpr std::string_view kMagic = "ATTROWS1", kEnd = "ATTROWSE";
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kHeadBytes = 32, kEntryBytes = 24, kTailBytes = 48;
constexpr std::size_t kCheckedTailBytes = 32;  // of the tail, before its checksum

Error damaged(const std::string& path) {
  return {Code::kCorrupt, path + ": the row cache is damaged", "", "remove it: it is made again"};
}

Status check_head(const std::string& path, std::string_view bytes, Hash128 source) {
  if (bytes.size() < kHeadBytes + kTailBytes || !bytes.starts_with(kMagic)) return damaged(path);
  Reader r(bytes.substr(kMagic.size()));
  const std::uint32_t version = r.u32();
  if (version != kVersion) {
    return Error{Code::kInvalid,
                 fmt::format("{}: row cache version {}, this program reads version {}", path,
                             version, kVersion),
                 "", "remove it: it is made again"};
  }
  r.u32();
  const std::uint64_t low = r.u64(), high = r.u64();
  if (Hash128{low, high} == source) return ok_status();
  return Error{Code::kConflict, path + ": the row cache was made of another file or other options",
               "", "remove it: it is made again"};
}

}  // namespace

Result<RowCacheWriter> RowCacheWriter::open(const std::string& path, Hash128 source) {
  TRY(NewFile file, NewFile::create(path));
  std::string head(kMagic);
  Writer w(head);
  w.u32(kVersion);
  w.u32(0);
  w.u64(source.low);
  w.u64(source.high);
  TRY_OK(file.append(head));
  return RowCacheWriter(std::move(file));
}

Status RowCacheWriter::add(const Examples& rows) {
  if (rows.size() == 0) return ok_status();
  buffer_.clear();
  encode_block(rows, buffer_);
  blocks_.push_back({file_.size(), buffer_.size(), static_cast<std::uint32_t>(rows.size()),
                     static_cast<std::uint32_t>(rows.features.size())});
  rows_ += rows.size();
  for (const std::uint16_t field : rows.fields) {
    fields_ = std::max<std::uint64_t>(fields_, field + 1U);
  }
  return file_.append(buffer_);
}

Status RowCacheWriter::finish(std::string_view notes) {
  std::string tail(notes);
  Writer w(tail);
  for (const Block& block : blocks_) {
    w.u64(block.offset);
    w.u64(block.size);
    w.u32(block.rows);
    w.u32(block.features);
  }
  for (const std::uint64_t number :
       {std::uint64_t{notes.size()}, std::uint64_t{blocks_.size()}, rows_, fields_}) {
    w.u64(number);
  }
  w.u64(hash64(tail));
  tail += kEnd;
  TRY_OK(file_.append(tail));
  return file_.finish();
}

Result<RowCache> RowCache::open(const std::string& path, Hash128 source) {
  RowCache cache;
  cache.path_ = path;
  TRY(cache.file_, MappedFile::open(path));
  const std::string_view bytes = cache.file_.bytes();
  TRY_OK(check_head(path, bytes, source));
  Reader end(bytes.substr(bytes.size() - kTailBytes));
  const std::uint64_t notes_bytes = end.u64();
  const std::uint64_t blocks = end.u64();
  cache.rows_ = end.u64();
  cache.fields_ = end.u64();
  const std::uint64_t checksum = end.u64();
  const std::uint64_t room = bytes.size() - kHeadBytes - kTailBytes;
  if (end.bytes(kEnd.size()) != kEnd || notes_bytes > room ||
      blocks > (room - notes_bytes) / kEntryBytes) {
    return damaged(path);
  }
  const std::uint64_t size = notes_bytes + blocks * kEntryBytes;
  const std::string_view table =
      bytes.substr(bytes.size() - kTailBytes - size, size + kCheckedTailBytes);
  if (hash64(table) != checksum) return damaged(path);
  cache.notes_ = table.substr(0, notes_bytes);
  Reader r(table.substr(notes_bytes));
  const std::uint64_t limit = bytes.size() - kTailBytes - size;
  for (std::uint64_t i = 0; i < blocks; ++i) {
    Block block{};
    block.offset = r.u64();
    block.size = r.u64();
    block.rows = r.u32();
    block.features = r.u32();
    if (block.offset > limit || block.size > limit - block.offset) return damaged(path);
    cache.blocks_.push_back(block);
  }
  return cache;
}

Status RowCache::read(std::size_t block, Examples& out) const {
  const Block& at = blocks_[block];
  const std::string_view bytes = file_.bytes().substr(at.offset, at.size);
  if (!decode_block(bytes, at.rows, at.features, out)) return damaged(path_);
  return ok_status();
}

void RowCache::bring(std::size_t begin, std::size_t end) const {
  if (begin == end) return;
  const Block &first = blocks_[begin], &last = blocks_[end - 1];
  file_.bring(first.offset, last.offset + last.size - first.offset);
}

void RowCache::let_go(std::size_t begin, std::size_t end) const {
  if (begin == end) return;
  const Block &first = blocks_[begin], &last = blocks_[end - 1];
  file_.let_go(first.offset, last.offset + last.size - first.offset);
}

}  // namespace attune
