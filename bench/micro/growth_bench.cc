// What growth costs: the rate of learning after ever more rows and with ever larger tables, beside
// the floor that memory sets: rows are counted against the lines of the cache they touch, and those
// against how many lines at random places of a table of that size this machine changes a second,
// asked for as far ahead as learning asks. Rows are made block by block, so memory does not grow
// with them; making them is not counted. One core.
#include <fmt/format.h>

#include <ctime>

#include "base/command_line.h"
#include "criteo_like.h"
#include "model/model.h"

namespace attune {
namespace {

constexpr std::size_t kBlock = 4096;         // rows
constexpr std::size_t kWindow = 500'000;     // rows a rate is of
constexpr std::size_t kLineFloats = 16;      // 64 bytes
constexpr std::size_t kAheadLines = 4 * 39;  // asked for before they are changed
constexpr std::size_t kProbes = 20'000'000;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Lines at random places, of so many, changed a CPU-second; places come by the power law of ids.
double random_lines_per_s(std::size_t lines) {
  std::vector<float> table(lines * kLineFloats, 1.0F);
  std::vector<std::uint32_t> places(1U << 20);
  CriteoLike world(2);
  Examples rows;
  world.add(places.size() / kFields + 1, rows);
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i] = static_cast<std::uint32_t>(rows.features[i].hash % lines);
  }
  double sum = 0;
  const auto pass = [&](std::size_t probes) {
    for (std::size_t i = 0; i < probes; ++i) {
      const std::size_t now = i & (places.size() - 1);
      const std::size_t later = (i + kAheadLines) & (places.size() - 1);
      __builtin_prefetch(&table[places[later] * kLineFloats], 1);
      float& at = table[places[now] * kLineFloats];
      at += 1;
      sum += at;
    }
  };
  pass(places.size());
  const double begin = cpu_seconds();
  pass(kProbes);
  const double rate = static_cast<double>(kProbes) / (cpu_seconds() - begin);
  CHECK(sum > 0);
  return rate;
}

// The rate of the last kWindow rows before each of these counts.
Result<std::vector<double>> rates_at(const ModelOptions& options,
                                     const std::vector<std::size_t>& counts, double& bytes) {
  TRY(const auto model, make_model(options));
  bytes = static_cast<double>(model->most_memory_bytes());
  CriteoLike world(1);
  Examples block;
  std::vector<float> before(kBlock);
  std::vector<double> rates;
  double spent = 0;
  std::size_t in_window = 0, done = 0;
  for (const std::size_t until : counts) {
    while (done < until) {
      if (until - done <= kWindow && in_window == 0) spent = 0;
      const bool is_counted = until - done <= kWindow;
      block.clear();
      world.add(std::min(kBlock, until - done), block);
      const double begin = cpu_seconds();
      model->learn(block, std::span(before).first(block.size()));
      spent += cpu_seconds() - begin;
      done += block.size();
      if (is_counted) in_window += block.size();
    }
    rates.push_back(static_cast<double>(in_window) / spent);
    in_window = 0;
  }
  return rates;
}

int run(int argc, char** argv) {
  Command app{"The rate of learning after ever more rows and with ever larger tables"};
  std::vector<std::string> kinds{"ftrl", "fwfm"};
  std::vector<int> bits{18, 20, 22, 24, 26};
  std::vector<std::size_t> counts{1'000'000, 5'000'000};
  app.add_option("--kind", kinds, "kinds of models");
  app.add_option("--bits", bits, "tables of 2^bits rows");
  app.add_option("--rows", counts, "ascending");
  if (const auto code = app.parse(argc, argv)) return *code;
  fmt::print("| kind | bits | MB |");
  for (const std::size_t count : counts) fmt::print(" rows/CPU-s at {} |", count);
  fmt::print(" lines a row | lines/CPU-s at random | rows/CPU-s they allow | share reached |\n");
  for (const std::string& kind : kinds) {
    for (const int b : bits) {
      ModelOptions options{.kind = kind, .bits = b, .inputs = kFields};
      double bytes = 0;
      const auto rates = rates_at(options, counts, bytes);
      if (!rates.ok()) {
        fmt::print(stderr, "{}\n", rates.error().message);
        return 2;
      }
      // Without the number that says where it lies.
      const double row_bytes = bytes / static_cast<double>(std::size_t{1} << b) - 4;
      const double lines_of_id = std::max(1.0, std::ceil(row_bytes / 64));
      const double lines = lines_of_id * static_cast<double>(kFields);
      const double random = random_lines_per_s(std::max<std::size_t>(1, std::size_t(bytes / 64)));
      fmt::print("| {} | {} | {:.0f} |", kind, b, bytes / 1e6);
      for (const double rate : *rates) fmt::print(" {:.0f} |", rate);
      fmt::print(" {:.0f} | {:.1f}M | {:.0f} | {:.0f} % |\n", lines, random / 1e6, random / lines,
                 100 * rates->back() * lines / random);
    }
  }
  return 0;
}

}  // namespace
}  // namespace attune

int main(int argc, char** argv) { return attune::run(argc, argv); }
