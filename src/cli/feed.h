// Feed: what the demo's players share: connections to the server, events gathered into batches, the
// time since the start. One thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/client.h"

namespace attune {

class Feed {
 public:
  explicit Feed(std::vector<Client> clients) : clients_(std::move(clients)) {}
  Client& client(std::size_t i = 0) { return clients_[i % clients_.size()]; }
  // Sends a batch when many events wait.
  Status add(std::string_view event_json);
  // Sends what waits; an event refused is an error.
  Status flush();
  // Items as JSON objects, in bodies the server takes.
  Status put_items(const std::vector<std::string>& items);
  std::uint64_t events() const { return events_; }
  double elapsed_s() const;
  // The progressive AUC of the live model; -1 when it has none yet.
  Result<double> auc();

 private:
  std::vector<Client> clients_;
  std::string batch_;  // with commas
  std::uint64_t events_ = 0, waiting_ = 0;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// Of GET /api/v1/learning; -1 when it says none.
double auc_of(const std::string& learning_json);

}  // namespace attune
