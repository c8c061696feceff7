// DataPlayer: real sequences (sequences.h) against a server's HTTP API. Before some steps the
// server is asked what it would show the person: with the learned model, by popularity, at random;
// a hit is when the item the person really takes next is among the ten. Nobody sees these slates,
// so nothing is learned from them. The model learns from lessons: a real step set beside random
// items. One thread.
#pragma once
#include <string>
#include <unordered_set>
#include <vector>

#include "base/rng.h"
#include "cli/feed.h"
#include "cli/hit_tally.h"
#include "cli/screen.h"
#include "cli/sequences.h"
#include "cli/words.h"

namespace attune {

struct DataPlayOptions {
  std::uint64_t seed = 1;
  std::uint64_t questions = 4000;  // about so many steps are asked about
  std::string address;             // of the server, to say
};

class DataPlayer {
 public:
  DataPlayer(const DataPlayOptions& options, const Sequences& sequences,
             std::vector<Client> clients, Screen& screen, const Words& words);
  Status run();
  // After run(): the report as one JSON object, and the explained decision's table.
  Result<std::string> report_json();
  Result<std::vector<std::string>> decision_lines();
  const std::string& decision_id() const { return chosen_decision_; }
  void say_result();
  const HitTally& tally() const { return tally_; }

 private:
  struct Step {  // one person takes one item
    std::uint32_t person = 0, item = 0;
    double day = 0;
    std::string lesson = {};  // id of its decision
  };
  struct Request {
    std::size_t step = 0;  // in the wave
    Share share{};
    bool is_lesson = false;
  };

  Status load();
  void gather(std::uint32_t person);
  Status wave();
  std::string body_of(const Request& request);
  Status take_answer(const Request& request, const std::string& answer);
  void judge(const Request& request, const std::vector<std::string_view>& slate,
             std::string_view decision);
  Status send_steps();
  Status progress();
  std::vector<std::string> live_lines(double auc) const;
  std::string curve(Share share) const;
  std::string table_head(std::string_view last) const;
  std::string table_line(std::string_view name, Share share, const Hits& hits,
                         const std::string& last) const;

  const DataPlayOptions options_;
  const Sequences& sequences_;
  Feed feed_;
  Screen& screen_;
  const Words& words_;
  Rng rng_;
  HitTally tally_;
  std::vector<std::uint32_t> next_;  // [person] index of the next step
  std::vector<Step> wave_;
  std::vector<Request> requests_;
  std::unordered_set<std::uint32_t> present_;  // persons of the wave
  std::uint64_t played_ = 0, tenths_ = 0, lessons_ = 0;
  std::string chosen_decision_, chosen_subject_;
  bool is_chosen_hit_ = false;
  double first_decision_s_ = 0;
};

}  // namespace attune
