#include "load/fill.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace attune::load {
namespace {

constexpr std::size_t kUnderWay = 64;

void show(std::uint64_t acknowledged, std::uint64_t events, Nanos begin) {
  std::fprintf(stderr, "%12llu of %llu events, %.0f/s\n",
               static_cast<unsigned long long>(acknowledged),
               static_cast<unsigned long long>(events),
               static_cast<double>(acknowledged) * 1e9 / static_cast<double>(now_ns() - begin));
}

}  // namespace

std::uint64_t fresh_run() { return static_cast<std::uint64_t>(now_ns() / 1000) & 0xffff'ffff; }

Result<Filled> fill(const Target& target, const FeedOptions& options, std::uint64_t events,
                    bool is_progress_shown) {
  TRY(Wire wire, Wire::connect(target.host, target.port, target.connections));
  const Feed feed(options);
  const auto size_of = [&](std::uint64_t request) {
    return std::min(options.batch, events - request * options.batch);
  };
  Filled filled;
  std::string fault, body;
  Plan plan{.requests = (events + options.batch - 1) / options.batch};
  plan.most_outstanding = kUnderWay;
  plan.write = [&](std::uint64_t request, std::string& out) {
    body.clear();
    feed.append_batch(request * options.batch, size_of(request), time_text(), body);
    append_request(out, "POST", "/v1/batch", target.key, body);
  };
  const Nanos begin = now_ns();
  Nanos next_show = begin + 5'000'000'000;
  plan.answered = [&](const Answer& answer) {
    if (answer.status == 503) return true;
    const bool is_whole = answer.body.find("\"rejected\"") == std::string_view::npos;
    if ((answer.status != 200 || !is_whole) && fault.empty()) {
      fault = fmt::format("{} {}", answer.status, answer.body.substr(0, 300));
    }
    filled.latency.add(static_cast<std::uint64_t>((answer.received - answer.sent) / 1000));
    filled.acknowledged += size_of(answer.request);
    if (is_progress_shown && answer.received > next_show) {
      show(filled.acknowledged, events, begin);
      next_show = answer.received + 5'000'000'000;
    }
    return false;
  };
  TRY(const Played played, wire.play(plan));
  if (!fault.empty()) return Error{Code::kInternal, "an event was not taken: " + fault};
  if (played.lost != 0) {
    return Error{Code::kUnavailable, fmt::format("{} batches were never answered", played.lost)};
  }
  filled.again = played.again;
  filled.seconds = played.seconds;
  return filled;
}

}  // namespace attune::load
