// Fills a server with events as fast as it takes them: a bounded number of batches is under way, a
// batch refused because the server is busy is sent again.
#pragma once
#include "load/common.h"
#include "load/feed.h"

namespace attune::load {

struct Filled {
  std::uint64_t acknowledged = 0, again = 0;
  double seconds = 0;
  Histogram latency;  // from when a batch was sent
};

// Any answer but 200 without rejections and 503 is an error, and so is a lost batch.
Result<Filled> fill(const Target& target, const FeedOptions& options, std::uint64_t events,
                    bool is_progress_shown = false);
std::uint64_t fresh_run();  // for FeedOptions::run

}  // namespace attune::load
