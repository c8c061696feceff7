#include "load/process.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace attune::load {
namespace {

struct Ticks {
  std::string name;
  double user_s = 0, system_s = 0;
};

// Fields 14 and 15 of /proc/*/stat; the name before them may hold spaces and parentheses.
Ticks ticks_of(const std::string& path) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto open = text.find('('), close = text.rfind(')');
  if (close == std::string::npos) return {};
  Ticks ticks{.name = text.substr(open + 1, close - open - 1)};
  std::istringstream rest(text.substr(close + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  rest >> ticks.user_s >> ticks.system_s;
  const double per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  ticks.user_s /= per_second;
  ticks.system_s /= per_second;
  return ticks;
}

}  // namespace

Usage usage_of(int pid) {
  const std::string home = "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid));
  Usage usage;
  const Ticks all = ticks_of(home + "/stat");
  usage.user_s = all.user_s;
  usage.system_s = all.system_s;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator(home + "/task", error)) {
    const Ticks ticks = ticks_of(thread.path() / "stat");
    usage.thread_s[ticks.name] += ticks.user_s + ticks.system_s;
  }
  std::ifstream status(home + "/status");
  for (std::string line; std::getline(status, line);) {
    const auto read = [&](const char* name, std::uint64_t& bytes) {
      if (line.starts_with(name)) {
        bytes = 1024 * std::strtoull(line.c_str() + std::string(name).size(), nullptr, 10);
      }
    };
    read("VmHWM:", usage.peak_bytes);
    read("VmRSS:", usage.resident_bytes);
    read("RssFile:", usage.file_bytes);
  }
  return usage;
}

}  // namespace attune::load
