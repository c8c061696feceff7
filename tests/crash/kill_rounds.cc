// kill_rounds: runs the real server under load, kills it at a random time, and looks into its
// journal: every acknowledged event is there, none is there twice. Each round sends some of the
// last round's events again, as a client does that heard no answer.
#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <unordered_set>

#include "base/command_line.h"
#include "base/rng.h"
#include "event/event.h"
#include "journal/journal.h"
#include "journal/keyring.h"
#include "server.h"

namespace attune::crash {
namespace {

constexpr int kThreads = 3;
constexpr int kEventsPerBatch = 20;
constexpr int kBatchesSentAgain = 6;
constexpr double kMaxOpenSeconds = 2;

struct Batch {
  std::string body;
  std::vector<std::string> ids;
  bool is_acknowledged = false;
};

Batch make_batch(std::uint64_t round, int thread, std::size_t number) {
  Batch batch;
  batch.body = R"({"batch":[)";
  for (int i = 0; i < kEventsPerBatch; ++i) {
    const std::string id = fmt::format("r{}-t{}-b{}-e{}", round, thread, number, i);
    if (i > 0) batch.body += ',';
    batch.body +=
        fmt::format(R"({{"type":"track","event":"Item Viewed","messageId":"{}","userId":"u{}",)"
                    R"("properties":{{"item_id":"i{}","position":{}}}}})",
                    id, (number * kEventsPerBatch + static_cast<std::size_t>(i)) % 500, i, i);
    batch.ids.push_back(id);
  }
  batch.body += "]}";
  return batch;
}

// Sends again first, then new ones until the server is gone.
void load(std::uint16_t port, std::uint64_t round, int thread, std::vector<Batch>& batches) {
  Client client(port);
  for (Batch& again : batches) again.is_acknowledged |= client.post_batch(again.body);
  while (!client.is_broken()) {
    Batch& batch = batches.emplace_back(make_batch(round, thread, batches.size()));
    batch.is_acknowledged = client.post_batch(batch.body);
  }
}

struct Totals {
  std::uint64_t rounds = 0, acknowledged = 0, stored = 0, lost = 0, duplicates = 0;
  double max_open_s = 0, max_ready_s = 0;
};

// What the journal of one workspace holds, followed from round to round.
class Witness {
 public:
  explicit Witness(std::string workspace) : workspace_(std::move(workspace)) {}

  Status look(Totals& totals) {
    const auto begin = std::chrono::steady_clock::now();
    TRY(const auto journal, open_journal_reader(workspace_ + "/journal"));
    const std::chrono::duration<double> open = std::chrono::steady_clock::now() - begin;
    totals.max_open_s = std::max(totals.max_open_s, open.count());
    TRY(const auto keyring, open_keyring_reader(workspace_ + "/keys"));
    TRY(const auto cursor, journal->read(next_));
    while (true) {
      TRY(const auto stored, cursor->next());
      if (!stored) return ok_status();
      next_ = stored->position + 1;
      if (stored->record.kind != Kind::kEvent) continue;
      TRY(const std::string payload, keyring->open(stored->record));
      TRY(const StoredEvent event, decode_event(payload, stored->record.received));
      ++totals.stored;
      if (!ids_.insert(event.event.message_id).second) ++totals.duplicates;
    }
  }

  std::uint64_t missing(const std::vector<Batch>& batches) const {
    std::uint64_t missing = 0;
    for (const Batch& batch : batches) {
      if (!batch.is_acknowledged) continue;
      for (const std::string& id : batch.ids) missing += ids_.contains(id) ? 0 : 1;
    }
    return missing;
  }

 private:
  const std::string workspace_;
  Position next_ = 1;
  std::unordered_set<std::string> ids_;
};

struct Options {
  std::string program;
  std::uint64_t rounds = 20;
  std::uint64_t seed = 1;
};

class Rounds {
 public:
  Rounds(const Options& options, std::string workspace)
      : options_(options),
        workspace_(std::move(workspace)),
        witness_(workspace_),
        rng_(options.seed) {}

  Status run() {
    for (std::uint64_t round = 0; round < options_.rounds; ++round) TRY_OK(one(round));
    return ok_status();
  }
  const Totals& totals() const { return totals_; }

 private:
  Status one(std::uint64_t round) {
    TRY(Server server, Server::start(options_.program, workspace_));
    totals_.max_ready_s = std::max(totals_.max_ready_s, server.ready_s());
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      auto& batches = batches_[static_cast<std::size_t>(i)];
      threads.emplace_back([&, i] { load(server.port(), round, i, batches); });
    }
    std::this_thread::sleep_for(std::chrono::microseconds(rng_.below(150'000)));
    server.kill();
    threads.clear();
    TRY_OK(witness_.look(totals_));
    for (auto& batches : batches_) check(batches);
    ++totals_.rounds;
    return ok_status();
  }

  // Counts, and leaves what the next round sends again: the last ones, answered or not.
  void check(std::vector<Batch>& batches) {
    totals_.lost += witness_.missing(batches);
    for (const Batch& batch : batches) {
      if (batch.is_acknowledged) totals_.acknowledged += batch.ids.size();
    }
    const auto keep = std::min<std::ptrdiff_t>(std::ssize(batches), kBatchesSentAgain);
    batches.erase(batches.begin(), batches.end() - keep);
    for (Batch& batch : batches) batch.is_acknowledged = false;
  }

  const Options options_;
  const std::string workspace_;
  Witness witness_;
  Rng rng_;
  std::array<std::vector<Batch>, kThreads> batches_;
  Totals totals_;
};

int run(const Options& options) {
  std::string folder = "/tmp/attune_kill_XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  Rounds rounds(options, folder + "/workspace");
  const auto begin = std::chrono::steady_clock::now();
  const Status status = rounds.run();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const Totals& t = rounds.totals();
  fmt::print(R"({{"rounds":{},"acknowledged":{},"stored":{},"lost":{},"duplicates":{},)"
             R"("max_journal_open_s":{:.3f},"max_ready_s":{:.3f},"seconds":{:.1f}}})"
             "\n",
             t.rounds, t.acknowledged, t.stored, t.lost, t.duplicates, t.max_open_s, t.max_ready_s,
             took.count());
  const bool is_good = status.ok() && t.acknowledged > 0 && t.lost == 0 && t.duplicates == 0 &&
                       t.max_open_s < kMaxOpenSeconds;
  if (!status.ok()) fmt::print(stderr, "round {}: {}\n", t.rounds, status.error().message);
  if (is_good) return std::filesystem::remove_all(folder), 0;
  fmt::print(stderr, "the workspace is left in {}\n", folder);
  return 1;
}

}  // namespace
}  // namespace attune::crash

int main(int argc, char** argv) {
  attune::crash::Options options;
  attune::Command app("Kills a server under load, again and again, and looks into its journal.");
  app.add_option("--program", options.program, "the attune to run")->required();
  app.add_option("--rounds", options.rounds, "how often");
  app.add_option("--seed", options.seed, "of the times it is killed at");
  if (const auto code = app.parse(argc, argv)) return *code;
  return attune::crash::run(options);
}
