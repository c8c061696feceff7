// Retraining: trains a model on the workspace's own decisions every so often, in a process of its
// own at the lowest priority, under a CPU share and a memory limit: whatever becomes of it, serving
// goes on. What comes out is registered, and promoted unless it is worse than what ranks now.
#pragma once
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/config.h"
#include "base/log.h"
#include "engine/engine.h"

namespace attune {

struct RetrainingSettings {
  double every_s = 0;  // of the workspace's clock; 0 = never
  std::string model = "ranker";
  std::string kind = "fm";
  bool is_promoting = true;
  bool is_on_drift = true;  // at once, too, when the live learner's predictions get worse
  double cpu_share = 0.25;  // of one core
  std::uint64_t memory_bytes = 512u << 20;  // of the training process
  int kept = 5;  // versions made so that neither rank nor would be rolled back to
};
// Must outlive the config.
void bind(RetrainingSettings& settings, Config& config);
// kInvalid: a model's name that is none.
Status check(const RetrainingSettings& settings);

// Whether drift asks for a training now. An alarm asks once: what was trained after it has seen
// what changed; and not within an hour of the last training.
bool is_asked_by_drift(Time alarm, Time last_training, Time now);

class Retraining {
 public:
  // program: of attune; log may be null. All must outlive this.
  Retraining(Engine& engine, std::string workspace, RetrainingSettings settings,
             std::string program, Log* log);
  ~Retraining();  // ends a training under way
  Retraining(const Retraining&) = delete;
  Retraining& operator=(const Retraining&) = delete;

 private:
  void run(const std::stop_token& stop);
  bool is_due() const;
  Result<std::string> train(const std::stop_token& stop);  // the report, JSON
  Status adopt(const std::string& report);
  void prune();
  void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const;
  std::string output() const;
  std::string path_of(const std::string& id) const;  // of a registered version's file

  Engine& engine_;
  const std::string workspace_;
  const RetrainingSettings settings_;
  const std::string program_;
  Log* const log_;
  Time next_{};  // not before; of the workspace's clock
  Time last_{};  // when the last training began
  std::mutex mutex_;
  std::condition_variable_any waiting_;
  std::jthread thread_;
};

}  // namespace attune
