// How fast models learn and predict, one core, from memory: rows a CPU-second. A figure counts only
// when the model learned what can be learned (log loss against always saying the base rate, and
// against the true probabilities).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <ctime>

#include "criteo_like.h"
#include "model/model.h"

namespace attune {
namespace {

constexpr std::size_t kBlock = 4096;  // rows

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
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
  double learned_per_s = 0, predicted_per_s = 0, log_loss = 0;
  TableCounts counts;
};

double loss_of(const Examples& rows, std::span<const float> predicted) {
  double sum = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double p = std::clamp(double{predicted[r]}, 1e-6, 1 - 1e-6);  // of values as well
    sum -= std::log(rows.labels[r] == 1 ? p : 1 - p);
  }
  return sum;
}

Measured measure(Model& model, const Data& data) {
  Measured m;
  std::vector<float> out(kBlock);
  double learning = 0;
  for (const Examples& block : data.blocks) {
    const double begin = cpu_seconds();
    model.learn(block, std::span(out).first(block.size()));
    learning += cpu_seconds() - begin;
    m.log_loss += loss_of(block, out);
  }
  m.log_loss /= data.rows;
  m.learned_per_s = data.rows / learning;
  const double begin = cpu_seconds();
  for (const Examples& block : data.blocks) {
    model.predict(block, std::span(out).first(block.size()));
  }
  m.predicted_per_s = data.rows / (cpu_seconds() - begin);
  m.counts = model.counts();
  return m;
}

int run(int argc, char** argv) {
  CLI::App app{"Rows a CPU-second of each kind of model, on generated rows"};
  std::size_t rows = 1'000'000;
  ModelOptions options;
  std::vector<std::string> kinds{"ftrl", "fm"};
  app.add_option("--rows", rows, "how many");
  app.add_option("--kind", kinds, "kinds of models");
  app.add_option("--bits", options.bits, "of the table");
  app.add_option("--set", options.settings, "settings: NAME VALUE ...");
  app.add_flag("--collision-free", options.collision_free, "a row for each id");
  app.add_option("--admit-after", options.admit_after, "uses before an id has its row");
  CLI11_PARSE(app, argc, argv);
  const Data data = generate(rows);
  options.inputs = kFields;
  bool is_right = true;
  fmt::print("| kind | learned rows/CPU-s | predicted rows/CPU-s | progressive log loss | base | true |"
             " ids with a row | collisions |\n|---|---:|---:|---:|---:|---:|---:|---:|\n");
  for (const std::string& kind : kinds) {
    options.kind = kind;
    auto model = make_model(options);
    if (!model.ok()) {
      fmt::print(stderr, "{}\n", model.error().message);
      return 2;
    }
    const Measured m = measure(**model, data);
    fmt::print("| {} | {:.0f} | {:.0f} | {:.5f} | {:.5f} | {:.5f} | {} | {} |\n", kind,
               m.learned_per_s, m.predicted_per_s, m.log_loss, data.base_loss, data.true_loss,
               m.counts.rows, m.counts.collisions);
    is_right &= m.log_loss > data.true_loss && (kind == "mlp" || m.log_loss < data.base_loss);
  }
  if (!is_right) fmt::print(stderr, "a model did not learn: its times do not count\n");
  return is_right ? 0 : 1;
}

}  // namespace
}  // namespace attune

int main(int argc, char** argv) { return attune::run(argc, argv); }
