// The measurements. Each checks the server's answers before it reports a time, and returns its
// report as one JSON object, or an error that says what was wrong with the answers.
#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"
#include "load/common.h"

namespace attune::load {

struct IngestOptions {
  double rate = 50'000;  // events per second
  double seconds = 30;
  std::uint64_t batch = 100;
  std::uint64_t persons = 20'000;
  std::uint64_t items = 1'000;
};
Result<std::string> measure_ingest(const Target& target, const IngestOptions& options);

struct DecideOptions {
  double rate = 1'000;  // decisions per second
  double seconds = 30;
  std::uint64_t items = 100'000;
  std::uint64_t persons = 20'000;
  int candidates = 500;
  int n = 10;
  bool is_loaded = false;  // items and persons are there already
};
Result<std::string> measure_decide(const Target& target, const DecideOptions& options);

struct FreshOptions {
  int rounds = 200;
};
Result<std::string> measure_fresh(const Target& target, const FreshOptions& options);

struct ScaleOptions {
  std::uint64_t persons = 1'000'000;
  std::uint64_t items = 100'000;
  std::uint64_t events = 7'000'000;
  std::uint64_t batch = 200;
  int decisions = 1'000;
};
Result<std::string> measure_scale(const Target& target, const ScaleOptions& options);

}  // namespace attune::load
