#include "learn/prefetch.h"

#include <utility>

namespace attune {

Prefetch::Prefetch(Take take, Make make, bool has_thread)
    : take_(std::move(take)), make_(std::move(make)), spare_(kBlocks - 1) {
  if (has_thread) thread_ = std::thread([this] { work(); });
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
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopped_ || end_ || can_take(); });
    if (is_stopped_ || end_) return;
    take_one(lock);
  }
}

// Of blocks under way only the oldest leave taken_, once they are ready: what is behind keeps its
// place.
void Prefetch::take_one(std::unique_lock<std::mutex>& lock) {
  Block block = std::move(spare_.back());
  spare_.pop_back();
  block.number = handed_out_ + taken_.size();
  is_taking_ = true;
  lock.unlock();
  const Result<bool> has_block = take_(block);
  lock.lock();
  is_taking_ = false;
  if (!has_block.ok() || !*has_block) {
    end_ = has_block.ok() ? ok_status() : Status(has_block.error());
    spare_.push_back(std::move(block));
    changed_.notify_all();
    return;
  }
  Slot& slot = taken_.emplace_back();
  if (make_ != nullptr) {
    changed_.notify_all();  // another may take
    lock.unlock();
    slot.status = make_(block);
    lock.lock();
  }
  slot.block = std::move(block);
  slot.is_ready = true;
  changed_.notify_all();
}

Result<bool> Prefetch::next(Block& out) {
  std::unique_lock lock(mutex_);
  while (taken_.empty() || !taken_.front().is_ready) {
    if (taken_.empty() && end_) {
      out.rows.clear();
      TRY_OK(*end_);
      return false;
    }
    if (can_take()) {
      take_one(lock);
    } else {
      changed_.wait(lock);
    }
  }
  TRY_OK(taken_.front().status);
  std::swap(out, taken_.front().block);
  spare_.push_back(std::move(taken_.front().block));
  taken_.pop_front();
  ++handed_out_;
  changed_.notify_all();
  return true;
}

}  // namespace attune
