// The commands of `attune`. Data on stdout, talk on stderr; exit 0 done, 1 failed, 2 misuse.
#pragma once
#include <string>

#include "base/result.h"

namespace attune {

struct ServeOptions {
  std::string workspace = "attune-workspace";
  std::string listen = "127.0.0.1:8090";
  bool is_event_clock = false;
  int threads = 1;
};
Status serve(const ServeOptions& options);

struct StartOptions {
  std::uint64_t seed = 1;
  int impressions = 50'000;
  std::string workspace;  // empty: a temporary one
  bool is_json = false;
};
Status start_demo(const StartOptions& options);

Status explain(const std::string& workspace, const std::string& decision_id);
Status replay_verify(const std::string& workspace, int shards, bool is_json);

int run_attune(int argc, char** argv);

}  // namespace attune
