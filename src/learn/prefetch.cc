#include "learn/prefetch.h"

#include <utility>

namespace attune {

Prefetch::Prefetch(Read read, std::size_t ahead) : read_(std::move(read)), spare_(ahead) {
  if (ahead > 0) thread_ = std::thread([this] { work(); });
}

Prefetch::~Prefetch() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Prefetch::work() {
  while (true) {
    Examples block;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return is_stopped_ || !spare_.empty(); });
      if (is_stopped_) return;
      block = std::move(spare_.back());
      spare_.pop_back();
    }
    const Result<bool> has_rows = read_(block);
    const std::lock_guard lock(mutex_);
    if (!has_rows.ok()) {
      end_ = has_rows.error();
    } else if (!*has_rows) {
      end_ = ok_status();
    } else {
      ready_.push_back(std::move(block));
    }
    changed_.notify_all();
    if (end_) return;
  }
}

Result<bool> Prefetch::next(Examples& out) {
  if (!thread_.joinable()) return read_(out);
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return end_ || !ready_.empty(); });
    if (ready_.empty()) {
      out.clear();
      TRY_OK(*end_);
      return false;
    }
    std::swap(out, ready_.front());
    spare_.push_back(std::move(ready_.front()));
    ready_.erase(ready_.begin());
  }
  changed_.notify_all();
  return true;
}

}  // namespace attune
