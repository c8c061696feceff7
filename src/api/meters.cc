#include "api/meters.h"

#include <algorithm>

namespace attune {

void Meters::add_request(std::size_t route, int status, double seconds) {
  RouteMeter& meter = routes_[route];
  const auto bound =
      std::lower_bound(kDurationBoundSeconds.begin(), kDurationBoundSeconds.end(), seconds);
  ++meter.buckets[static_cast<std::size_t>(bound - kDurationBoundSeconds.begin())];
  meter.sum_us += static_cast<std::uint64_t>(seconds * 1e6);
  ++meter.by_class[static_cast<std::size_t>(std::clamp(status / 100, 0, 5))];
}

void Meters::add_rejected(std::string_view reason, std::uint64_t n) {
  const std::scoped_lock lock(mutex_);
  const auto found = rejected_.find(reason);
  if (found != rejected_.end()) {
    found->second += n;
  } else {
    rejected_.emplace(reason, n);
  }
}

std::map<std::string, std::uint64_t, std::less<>> Meters::rejected() const {
  const std::scoped_lock lock(mutex_);
  return rejected_;
}

}  // namespace attune
