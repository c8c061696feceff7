#include "api/rate_limit.h"

#include <algorithm>

namespace attune {
RateLimit::RateLimit(double per_s, double burst_s, std::function<double()> clock_s)
    : per_s_(per_s), burst_(per_s * burst_s), clock_s_(std::move(clock_s)) {}

double RateLimit::take(const std::string& key, double n) {
  if (per_s_ <= 0) return 0;
  const double now_s = clock_s_();
  const std::scoped_lock lock(mutex_);
  const auto [found, is_new] = buckets_.try_emplace(key, Bucket{burst_, now_s});
  Bucket& bucket = found->second;
  bucket.left = std::min(burst_, bucket.left + (now_s - bucket.at_s) * per_s_);
  bucket.at_s = now_s;
  if (bucket.left <= 0) return std::max(-bucket.left / per_s_, 1e-3);
  bucket.left -= n;
  return 0;
}

}  // namespace attune
