#include "base/config.h"

#include "fuzz.h"

namespace attune {

// A TOML file of settings.
void fuzz_one(std::string_view input) {
  double share = 0.5;
  int threads = 1;
  bool is_on = false;
  std::string name = "a", level = "info";
  std::vector<std::string> list;
  ConfigTable table;
  Config config;
  config.number("server.threads", threads, {.min = 1, .max = 64}, "", "threads");
  config.number("decide.share", share, {.min = 0, .max = 1}, "", "share");
  config.flag("server.is_on", is_on, "on");
  config.text("server.name", name, "", "name");
  config.choice("log.level", level, {"debug", "info"}, "level");
  config.list("log.kinds", list, {"a", "b"}, "kinds");
  config.table("collect.verbs", table, {"click", "view"}, "events");
  const std::string path = fuzz_folder() + "/attune.toml";
  write_file(path, input);
  if (!config.load_file(path).ok()) return;
  CHECK(threads >= 1 && threads <= 64 && share >= 0 && share <= 1);
  write_file(path, config.print_toml());
  CHECK(config.load_file(path).ok());
}

}  // namespace attune
