#include "journal/id_window.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>

#include "journal/file.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

// Each costs a question one cache line.
constexpr std::size_t kMostRuns = 12;

// The file names of the runs; leftovers of writes that did not finish are removed.
Result<std::vector<std::string>> list_runs(const std::string& directory) {
  std::vector<std::string> paths, leftovers;
  std::error_code ec;
  fs::create_directories(directory, ec);
  for (fs::directory_iterator it(directory, ec), end; !ec && it != end; it.increment(ec)) {
    if (it->path().extension() == ".run") paths.push_back(it->path().string());
    if (it->path().extension() == ".new") leftovers.push_back(it->path().string());
  }
  if (ec) {
    return Error{Code::kUnavailable, fmt::format("cannot list {}: {}", directory, ec.message())};
  }
  for (const std::string& path : leftovers) {
    if (::unlink(path.c_str()) != 0) return file_error("remove", path);
  }
  return paths;
}

// What merging two runs costs: the ids to write, after that to keep the times of a run close
// together, for runs expire whole.
std::uint64_t merge_cost(const IdRunHeader& a, const IdRunHeader& b, const IdWindowOptions& o) {
  const bool is_long =
      std::max(a.latest, b.latest) - std::min(a.earliest, b.earliest) > o.window / 6;
  return a.count + b.count + (is_long ? std::numeric_limits<std::uint64_t>::max() / 2 : 0);
}

IdRunHeader joined(const IdRunHeader& a, const IdRunHeader& b) {
  IdRunHeader out = b;
  out.first = a.first;
  out.earliest = std::min(a.earliest, b.earliest);
  out.latest = std::max(a.latest, b.latest);
  return out;
}

}  // namespace

IdFilter filter_of(const IdRuns& runs) {
  std::vector<std::span<const IdBlock>> filters;
  for (const auto& run : runs) filters.push_back(run->filter());
  return IdFilter(filters);
}

Status IdCheckpoint::write() {
  std::vector<std::uint64_t> ids = ids_->to_vector();
  std::sort(ids.begin(), ids.end());
  TRY(auto run, write_id_run(options_.directory, header_, ids, {}));
  runs_.push_back(std::move(run));
  drop_old_runs();
  TRY_OK(merge_runs());
  filter_ = filter_of(runs_);
  is_written_ = true;
  for (const std::string& path : obsolete_) {
    if (::unlink(path.c_str()) != 0) return file_error("remove", path);
  }
  return ok_status();
}

// Oldest first, so that no gap is left.
void IdCheckpoint::drop_old_runs() {
  std::uint64_t ids = 0;
  for (const auto& run : runs_) ids += run->header().count;
  while (runs_.size() > 1) {
    const IdRunHeader& oldest = runs_.front()->header();
    const bool is_expired = oldest.latest < header_.latest - options_.window;
    if (!is_expired && ids - oldest.count < options_.max_ids) return;
    ids -= oldest.count;
    obsolete_.push_back(runs_.front()->path());
    runs_.erase(runs_.begin());
  }
}

Status IdCheckpoint::merge_runs() {
  while (runs_.size() > kMostRuns) {
    std::size_t best = 0;
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t i = 0; i + 1 < runs_.size(); ++i) {
      const auto cost = merge_cost(runs_[i]->header(), runs_[i + 1]->header(), options_);
      if (cost < least) best = i;
      least = std::min(least, cost);
    }
    const IdRun& a = *runs_[best];
    const IdRun& b = *runs_[best + 1];
    TRY(auto merged,
        write_id_run(options_.directory, joined(a.header(), b.header()), a.ids(), b.ids()));
    obsolete_.push_back(a.path());
    obsolete_.push_back(b.path());
    runs_[best] = std::move(merged);
    runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  return ok_status();
}

Result<std::unique_ptr<IdWindow>> IdWindow::open(const IdWindowOptions& options) {
  std::unique_ptr<IdWindow> window(new IdWindow(options));
  TRY_OK(window->load());
  return window;
}

Status IdWindow::load() {
  TRY(const auto paths, list_runs(options_.directory));
  for (const std::string& path : paths) {
    TRY(auto run, IdRun::open(path));
    runs_.push_back(std::move(run));
  }
  // A merged run comes before its parts, which a crash may have left.
  std::sort(runs_.begin(), runs_.end(), [](const auto& a, const auto& b) {
    const IdRunHeader& x = a->header();
    const IdRunHeader& y = b->header();
    return x.first != y.first ? x.first < y.first : x.last > y.last;
  });
  IdRuns kept;
  for (auto& run : runs_) {
    const IdRunHeader& header = run->header();
    if (!kept.empty() && header.last <= kept.back()->header().last) {
      if (::unlink(run->path().c_str()) != 0) return file_error("remove", run->path());
      continue;
    }
    if (!kept.empty() && header.first != kept.back()->header().last + 1) {
      const std::string hint = fmt::format(
          "remove the folder {}; it is made again from the journal", options_.directory);
      return Error{Code::kCorrupt,
                   fmt::format("an id run file is missing before {}; {}", run->path(), hint),
                   {},
                   hint};
    }
    latest_ = std::max(latest_, header.latest);
    next_sequence_ = header.last + 1;
    kept.push_back(std::move(run));
  }
  runs_ = std::move(kept);
  filter_ = filter_of(runs_);
  return ok_status();
}

void IdWindow::prefetch(std::uint64_t id) const {
  young_.prefetch(id);
  filter_.prefetch(id);
}

bool IdWindow::contains(std::uint64_t id) const {
  filter_.prefetch(id);
  if (young_.contains(id) || (frozen_ && frozen_->contains(id))) return true;
  return filter_.any(id, [&](std::size_t run) { return runs_[run]->contains(id); });
}

void IdWindow::insert(std::uint64_t id, Time received) {
  young_.insert(id);
  young_header_.earliest = std::min(young_header_.earliest, received);
  young_header_.latest = std::max(young_header_.latest, received);
  latest_ = std::max(latest_, received);
}

std::optional<IdCheckpoint> IdWindow::begin_checkpoint(Position through) {
  if (!frozen_) {
    if (young_.size() == 0) return std::nullopt;
    frozen_header_ = young_header_;
    frozen_header_.through = through;
    frozen_header_.first = frozen_header_.last = next_sequence_;
    frozen_ = std::make_shared<const IdSet>(std::exchange(young_, {}));
    young_header_ = {};
  }  // else the last one failed: it comes first
  IdCheckpoint checkpoint;
  checkpoint.options_ = options_;
  checkpoint.ids_ = frozen_;
  checkpoint.header_ = frozen_header_;
  checkpoint.runs_ = runs_;
  return checkpoint;
}

void IdWindow::end_checkpoint(IdCheckpoint checkpoint) {
  if (!checkpoint.is_written_) return;
  runs_ = std::move(checkpoint.runs_);
  filter_ = std::move(checkpoint.filter_);
  next_sequence_ = runs_.back()->header().last + 1;
  frozen_.reset();
}

Status IdWindow::checkpoint(Position through) {
  while (auto checkpoint = begin_checkpoint(through)) {
    Status status = checkpoint->write();
    end_checkpoint(std::move(*checkpoint));
    if (!status.ok()) return status;
  }
  return ok_status();
}

std::uint64_t IdWindow::size() const {
  std::uint64_t size = young_.size() + (frozen_ ? frozen_->size() : 0);
  for (const auto& run : runs_) size += run->header().count;
  return size;
}

std::size_t IdWindow::memory_bytes() const {
  return filter_.memory_bytes() + young_.memory_bytes() + (frozen_ ? frozen_->memory_bytes() : 0);
}

}  // namespace attune
