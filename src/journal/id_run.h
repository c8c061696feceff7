// IdRun: an immutable file of sorted ids with their Bloom filter; memory mapped.
// docs/reference/journal-format.md. Safe to share.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "event/id.h"
#include "journal/id_filter.h"

namespace attune {

struct IdRunHeader {
  std::uint64_t first = 0;  // sequence numbers of the checkpoints in it
  std::uint64_t last = 0;
  std::uint64_t count = 0;      // ids
  Time earliest = Time::max();  // received
  Time latest = Time::min();
  Position through = 0;  // every record up to here has its id in this run or an earlier one
};

class IdRun {
 public:
  // Verifies the checksums.
  static Result<std::shared_ptr<const IdRun>> open(const std::string& path);
  ~IdRun();
  IdRun(const IdRun&) = delete;
  IdRun& operator=(const IdRun&) = delete;

  const IdRunHeader& header() const { return header_; }
  const std::string& path() const { return path_; }
  std::span<const std::uint64_t> ids() const { return ids_; }
  std::span<const IdBlock> filter() const { return filter_; }
  bool contains(std::uint64_t id) const;  // does not look at the filter

 private:
  friend struct IdRunWriter;
  explicit IdRun(std::string path) : path_(std::move(path)) {}
  Status map();
  Status check();

  std::string path_;
  IdRunHeader header_;
  const char* mapping_ = nullptr;
  std::size_t bytes_ = 0;
  std::span<const IdBlock> filter_;
  std::span<const std::uint64_t> ids_;
};

std::string id_run_path(const std::string& directory, std::uint64_t first, std::uint64_t last);

// Writes the union of the two sorted lists as `header` names it (count is set here), synced, and
// opens it.
Result<std::shared_ptr<const IdRun>> write_id_run(const std::string& directory, IdRunHeader header,
                                                  std::span<const std::uint64_t> a,
                                                  std::span<const std::uint64_t> b);

}  // namespace attune
