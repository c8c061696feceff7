// Meters: counts of requests by route, and of what was refused, for /metrics. Safe to share.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace attune {

// Upper bounds of the buckets of request durations, in seconds; one more is unbounded.
inline constexpr std::array<double, 12> kDurationBoundSeconds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5};

struct RouteMeter {
  std::array<std::atomic<std::uint64_t>, kDurationBoundSeconds.size() + 1> buckets{};
  std::atomic<std::uint64_t> sum_us{0};
  std::array<std::atomic<std::uint64_t>, 6> by_class{};  // [2]: 2xx, and so on
};

class Meters {
 public:
  explicit Meters(std::size_t routes) : routes_(new RouteMeter[routes]) {}
  void add_request(std::size_t route, int status, double seconds);
  void add_rejected(std::string_view reason, std::uint64_t n = 1);
  void add_refused(int status) { ++refused_[static_cast<std::size_t>(status) % refused_.size()]; }
  std::uint64_t refused(int status) const { return refused_[static_cast<std::size_t>(status)]; }
  const RouteMeter& route(std::size_t i) const { return routes_[i]; }
  std::map<std::string, std::uint64_t, std::less<>> rejected() const;

 private:
  std::unique_ptr<RouteMeter[]> routes_;
  std::array<std::atomic<std::uint64_t>, 600> refused_{};  // by status, before any route
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> rejected_;  // the reasons are fixed names
};

}  // namespace attune
