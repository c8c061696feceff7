// RateLimit: a token bucket for each key. A request is let in while the bucket is above zero and
// may then take it below: a large batch passes, and the next one waits. Safe to share.
#pragma once
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace attune {

class RateLimit {
 public:
  // per_s: 0 = no limit. clock_s: seconds, never back.
  RateLimit(double per_s, double burst_s, std::function<double()> clock_s);
  // Seconds to wait before `n` may come; 0 = they are taken.
  double take(const std::string& key, double n);

 private:
  struct Bucket {
    double left = 0;
    double at_s = 0;
  };
  const double per_s_;
  const double burst_;
  const std::function<double()> clock_s_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;  // as many as there are keys
};

}  // namespace attune
