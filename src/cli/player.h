// Player: the simulated people of world v1 against a server's HTTP API. People visit in waves: the
// decisions of a wave are asked for at once over several connections, their clicks go back as one
// batch. A click is drawn by (seed, person, how many impressions that person has had), so the same
// seed draws the same clicks whatever is shown beside. One thread.
#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "cli/feed.h"
#include "cli/screen.h"
#include "cli/tally.h"
#include "cli/words.h"
#include "simulate/oracle.h"
#include "simulate/world.h"

namespace attune {

struct PlayOptions {
  std::uint64_t seed = 1;
  std::uint64_t impressions = 50'000;
  std::string address;  // of the server, to say
};

class Player {
 public:
  Player(const PlayOptions& options, std::vector<Client> clients, Screen& screen,
         const Words& words);
  Status run();
  // After run(): the report as one JSON object, and the explained decision's table.
  Result<std::string> report_json();
  Result<std::vector<std::string>> decision_lines();
  const std::string& decision_id() const { return chosen_decision_; }
  void say_result();

 private:
  struct Visit;  // one person's decision under way
  struct Past {  // what a person has been shown
    std::uint64_t impressions = 0;
    std::vector<std::pair<std::size_t, double>> recent;  // item, day; of the last day
  };

  Status load();
  Status load_items();
  Status load_persons();
  Status wave();
  Status ask(const std::vector<std::size_t>& persons);
  Status watch(std::size_t person, const std::string& answer);
  Result<Shown> look(const Visit& visit);
  Status click(const Visit& visit, std::size_t item);
  Status progress();
  double day() const { return double(played_) / double(kWorldRowsPerDay); }
  std::vector<std::string> live_lines(double auc) const;
  std::string curve(Share share, bool is_oracle) const;
  std::string share_line(std::string_view name, const char* people, Share share, bool is_oracle,
                         int colour) const;

  const PlayOptions options_;
  Feed feed_;
  Screen& screen_;
  const Words& words_;
  const World world_;
  Oracle oracle_;
  Rng rng_;
  Tally tally_;
  std::unordered_map<std::string, std::size_t> index_;  // of items
  std::vector<Past> past_;                              // [person]
  std::uint64_t played_ = 0, messages_ = 0, tenths_ = 0;
  std::string chosen_decision_;
  std::size_t chosen_person_ = 0;
  double first_decision_s_ = 0;
};

}  // namespace attune
