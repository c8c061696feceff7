// How fast models learn and predict, one core, from memory and from the row cache: rows a
// CPU-second. A figure counts only when the model learned (log loss below that of always saying the
// base rate, above that of the true probabilities) and the cache gave back what it was given. Each
// model is made twice and the better run counts: the first may wait for the machine to hand out
// memory it never used.
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>

#include "base/command_line.h"
#include "criteo_like.h"
#include "model/model.h"
#include "model/row_cache.h"

namespace attune {
namespace {

constexpr std::size_t kBlock = 4096;  // rows

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double clock_seconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Data {
  std::vector<Examples> blocks;
  double rows = 0, base_loss = 0, true_loss = 0;
};

Data generate(std::size_t rows) {
  Data data;
  CriteoLike world(1);
  for (std::size_t done = 0; done < rows; done += kBlock) {
    world.add(std::min(kBlock, rows - done), data.blocks.emplace_back());
  }
  data.rows = static_cast<double>(rows);
  data.true_loss = world.true_loss() / data.rows;
  const double rate = world.clicks() / data.rows;
  data.base_loss = -rate * std::log(rate) - (1 - rate) * std::log(1 - rate);
  return data;
}

struct Measured {
  double learned_per_s = 0, by_clock_per_s = 0, from_cache_per_s = 0, predicted_per_s = 0;
  double log_loss = 0;
  TableCounts counts;
};

// The rows as a cache in the temporary folder, removed at the end.
class TemporaryCache {
 public:
  explicit TemporaryCache(const Data& data)
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("attune_learn_bench_{}", ::getpid())) {
    auto writer = RowCacheWriter::open(path_, {});
    CHECK(writer.ok());
    for (const Examples& block : data.blocks) CHECK(writer->add(block).ok());
    CHECK(writer->finish().ok());
    auto cache = RowCache::open(path_, {});
    CHECK(cache.ok());
    cache_ = std::make_unique<RowCache>(std::move(cache).value());
  }
  ~TemporaryCache() { std::filesystem::remove(path_); }
  TemporaryCache(const TemporaryCache&) = delete;
  TemporaryCache& operator=(const TemporaryCache&) = delete;
  const RowCache& operator*() const { return *cache_; }

 private:
  std::string path_;
  std::unique_ptr<RowCache> cache_;
};

// Rows a CPU-second of reading alone, the better of two passes; 0 when they are other rows.
double read_rate(const RowCache& cache, const Data& data) {
  double best = 0;
  Examples block;
  for (int pass = 0; pass < 3; ++pass) {
    double hashes = 0, expected = 0;
    const double begin = cpu_seconds();
    for (std::size_t b = 0; b < cache.blocks(); ++b) {
      if (!cache.read(b, block).ok()) return 0;
      hashes += block.features.back().hash + double{block.labels.back()};
    }
    best = std::max(best, data.rows / (cpu_seconds() - begin));
    for (const Examples& b : data.blocks)
      expected += b.features.back().hash + double{b.labels.back()};
    if (hashes != expected) return 0;
  }
  return best;
}

double loss_of(const Examples& rows, std::span<const float> predicted) {
  double sum = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double p = std::clamp(double{predicted[r]}, 1e-6, 1 - 1e-6);
    sum -= std::log(rows.labels[r] == 1 ? p : 1 - p);
  }
  return sum;
}

// Learning from the cache, reading included.
double cache_rate(Model& model, const RowCache& cache) {
  Examples block;
  std::vector<float> out(kBlock);
  const double begin = cpu_seconds();
  for (std::size_t b = 0; b < cache.blocks(); ++b) {
    if (!cache.read(b, block).ok()) return 0;
    model.learn(block, std::span(out).first(block.size()));
  }
  return static_cast<double>(cache.rows()) / (cpu_seconds() - begin);
}

Measured measure(Model& model, const Data& data) {
  Measured m;
  std::vector<float> out(kBlock);
  std::vector<std::vector<float>> before(data.blocks.size());
  for (std::size_t b = 0; b < before.size(); ++b) before[b].resize(data.blocks[b].size());
  const std::size_t at_once = model.blocks_at_once();
  const double cpu_begin = cpu_seconds(), clock_begin = clock_seconds();
  for (std::size_t b = 0; b < before.size(); b += at_once) {
    const std::size_t count = std::min(at_once, before.size() - b);
    model.learn_blocks(std::span(data.blocks).subspan(b, count), std::span(before).subspan(b));
  }
  const double learning = cpu_seconds() - cpu_begin, waited = clock_seconds() - clock_begin;
  for (std::size_t b = 0; b < before.size(); ++b) m.log_loss += loss_of(data.blocks[b], before[b]);
  m.log_loss /= data.rows;
  m.learned_per_s = data.rows / learning;
  m.by_clock_per_s = data.rows / waited;
  const double begin = cpu_seconds();
  for (const Examples& block : data.blocks) {
    model.predict(block, std::span(out).first(block.size()));
  }
  m.predicted_per_s = data.rows / (cpu_seconds() - begin);
  m.counts = model.counts();
  return m;
}

// kInvalid for options no model can have.
Result<Measured> best_of_two(const ModelOptions& options, Threads threads, const Data& data,
                             const RowCache& cache) {
  Measured best;
  for (int run = 0; run < 2; ++run) {
    TRY(const auto model, make_model(options));
    TRY_OK(model->use_threads(threads));
    Measured m = measure(*model, data);
    if (m.by_clock_per_s > best.by_clock_per_s) best = m;
  }
  TRY(const auto model, make_model(options));
  best.from_cache_per_s = cache_rate(*model, cache);
  return best;
}

int run(int argc, char** argv) {
  Command app{"Rows a CPU-second of each kind of model, on generated rows"};
  std::size_t rows = 1'000'000;
  Threads threads;
  ModelOptions options;
  std::vector<std::string> kinds{"ftrl", "fm"};
  app.add_option("--rows", rows, "how many");
  app.add_option("--kind", kinds, "kinds of models");
  app.add_option("--threads", threads.count, "that learn from memory; the cache is read by one");
  app.add_flag("--hogwild", threads.is_hogwild, "threads write into one table");
  app.add_option("--bits", options.bits, "of the table");
  app.add_option("--set", options.settings, "settings: NAME VALUE ...");
  app.add_flag("--collision-free", options.collision_free, "a row for each id");
  app.add_option("--admit-after", options.admit_after, "uses before an id has its row");
  if (const auto code = app.parse(argc, argv)) return *code;
  const Data data = generate(rows);
  options.inputs = kFields;
  bool is_right = true;
  const TemporaryCache cache(data);
  const double read = read_rate(*cache, data);
  fmt::print("Row cache: {:.0f} bytes a row, read at {:.0f} rows/CPU-s\n\n",
             static_cast<double>((*cache).size_bytes()) / data.rows, read);
  fmt::print(
      "| kind | from memory | by the clock | from cache | predicted | log loss | base rate's | "
      "true |"
      " ids with a row | collisions |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  is_right &= read > 0;
  for (const std::string& kind : kinds) {
    options.kind = kind;
    const auto measured = best_of_two(options, threads, data, *cache);
    if (!measured.ok()) {
      fmt::print(stderr, "{}\n", measured.error().message);
      return 2;
    }
    const Measured& m = *measured;
    fmt::print("| {} | {:.0f} | {:.0f} | {:.0f} | {:.0f} | {:.5f} | {:.5f} | {:.5f} | {} | {} |\n",
               kind, m.learned_per_s, m.by_clock_per_s, m.from_cache_per_s, m.predicted_per_s,
               m.log_loss, data.base_loss, data.true_loss, m.counts.rows, m.counts.collisions);
    is_right &= m.log_loss > data.true_loss && m.log_loss < data.base_loss;
  }
  if (!is_right) fmt::print(stderr, "a result is wrong: its times do not count\n");
  return is_right ? 0 : 1;
}

}  // namespace
}  // namespace attune

int main(int argc, char** argv) { return attune::run(argc, argv); }
