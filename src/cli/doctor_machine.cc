// attune doctor: the machine. Clock, open files, memory, disk.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/doctor.h"

namespace attune {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
constexpr rlim_t kFilesBesideConnections = 256;  // log files, databases, libraries

// The least memory.max of the control group this process is in and of those around it; 0 = none.
std::uint64_t group_memory() {
  std::string line, path;
  for (std::ifstream in("/proc/self/cgroup"); std::getline(in, line);) {
    if (line.starts_with("0::/")) path = line.substr(4);
  }
  std::uint64_t least = 0;
  for (;;) {
    std::uint64_t bytes = 0;
    if (std::ifstream in("/sys/fs/cgroup/" + path + "/memory.max"); in >> bytes) {
      least = least == 0 ? bytes : std::min(least, bytes);
    }
    if (path.empty()) return least;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

std::uint64_t machine_memory() {
  std::uint64_t kilobytes = 0;
  std::string word;
  for (std::ifstream in("/proc/meminfo"); in >> word;) {
    if (word == "MemTotal:" && in >> kilobytes) break;
  }
  return kilobytes << 10;
}

Finding check_space(const Settings& settings, const fs::path& folder) {
  std::error_code error;
  const auto space = fs::space(folder, error);
  if (error || space.capacity == 0) {
    return {Health::kWarn, "disk", "cannot look at the disk of " + folder.string(), "check it"};
  }
  const double used =
      1 - static_cast<double>(space.available) / static_cast<double>(space.capacity);
  const double full = settings.engine.options.full_disk_share;
  const std::string says = fmt::format("{:.0f} % used, {} free; events are refused beyond {:.0f} %",
                                       used * 100, megabytes(space.available), full * 100);
  if (used >= full) return {Health::kFail, "disk", says, "free some space, or use a larger disk"};
  if (used >= full - 0.05) return {Health::kWarn, "disk", says, "free some space soon"};
  return {Health::kOk, "disk", says};
}

// Writes a small file and makes it durable a few times, as each group of events is.
void probe_disk(const fs::path& folder, std::vector<Finding>& out) {
  constexpr int kRounds = 5;
  constexpr double kSlowMs = 50;
  const std::string path = (folder / fmt::format(".attune-doctor-{}", ::getpid())).string();
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    out.push_back({Health::kWarn, "sync", "cannot write into " + folder.string(),
                   "run it as the user that runs the server"});
    return;
  }
  std::vector<double> ms;
  const std::string block(4096, 'a');
  bool is_written = true;
  for (int i = 0; i < kRounds && is_written; ++i) {
    const auto begin = Clock::now();
    is_written = ::write(file, block.data(), block.size()) > 0 && ::fdatasync(file) == 0;
    ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  struct stat info {};
  ::fstat(file, &info);
  ::close(file);
  ::unlink(path.c_str());
  if (!is_written) {
    out.push_back({Health::kFail, "sync", "cannot make a file durable in " + folder.string(),
                   "check the disk (dmesg)"});
    return;
  }
  std::sort(ms.begin(), ms.end());
  const double middle = ms[kRounds / 2];
  out.push_back({middle > kSlowMs ? Health::kWarn : Health::kOk, "sync",
                 fmt::format("{:.1f} ms to make a block durable: events wait so long", middle),
                 "a faster disk: an SSD, not a network file system"});
  const auto skew = std::chrono::system_clock::now().time_since_epoch() -
                    std::chrono::seconds(info.st_mtim.tv_sec);
  if (abs(skew) > std::chrono::seconds(3)) {
    out.push_back({Health::kWarn, "clock", "the file system's clock is another than the machine's",
                   "set the clock of both (chrony)"});
  }
}

}  // namespace

std::string megabytes(std::uint64_t bytes) { return fmt::format("{} MB", bytes >> 20); }

Finding check_clock(Time now) {
  constexpr std::int64_t kBuildYearUs = 1'735'689'600'000'000;  // 2025-01-01
  if (to_us(now) < kBuildYearUs) {
    return {Health::kFail, "clock", "the machine's clock says " + format_iso8601(now),
            "set it (timedatectl set-ntp true)"};
  }
  timex state{};
  const bool is_synchronised = ::adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  if (is_synchronised) return {Health::kOk, "clock", format_iso8601(now) + ", kept by NTP"};
  return {Health::kWarn, "clock", format_iso8601(now) + ", which no NTP service keeps",
          "timedatectl set-ntp true, or chrony; nothing to do when the host keeps it"};
}

Finding check_files(const Settings& settings) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted =
      static_cast<rlim_t>(settings.http.http.max_connections) + kFilesBesideConnections;
  if (limit.rlim_cur >= wanted) {
    return {Health::kOk, "files", fmt::format("{} may be open at once", limit.rlim_cur)};
  }
  return {Health::kWarn, "files",
          fmt::format("{} may be open at once, server.max_connections asks for {}", limit.rlim_cur,
                      wanted),
          fmt::format("ulimit -n {}, LimitNOFILE={} in the service, or fewer connections", wanted,
                      wanted)};
}

Finding check_memory(const Settings& settings) {
  const std::uint64_t limit = settings.engine.options.memory_bytes, group = group_memory();
  const std::uint64_t machine = machine_memory();
  const std::uint64_t all = group == 0 ? machine : std::min(group, machine);
  if (limit == 0 && group != 0 && group < machine) {
    return {Health::kWarn, "memory",
            fmt::format("no limit set, but the control group ends the process beyond {}",
                        megabytes(group)),
            fmt::format("--memory {}M, which leaves a fifth for what is not counted",
                        (group >> 20) * 4 / 5)};
  }
  if (limit == 0) {
    return {Health::kOk, "memory", fmt::format("no limit set, the machine has {}", megabytes(all))};
  }
  const std::string says = fmt::format("limit {} of {}", megabytes(limit), megabytes(all));
  const char* const fix = "a smaller --memory: the system needs its share too";
  if (limit > all) return {Health::kFail, "memory", says, fix};
  if (limit > all / 10 * 9) return {Health::kWarn, "memory", says, fix};
  return {Health::kOk, "memory", says};
}

void check_disk(const Settings& settings, const std::string& place, std::vector<Finding>& out) {
  fs::path folder = fs::absolute(place);
  const bool is_there = fs::exists(folder);
  while (!fs::exists(folder) && folder.has_relative_path()) folder = folder.parent_path();
  out.push_back(check_space(settings, folder));
  if (is_there) probe_disk(folder, out);
}

// Time set back or forward while somebody looks is seen as the two clocks parting.
void check_clock_steps(const ClockPair& begin, std::vector<Finding>& out) {
  const ClockPair end = ClockPair::now();
  const auto parted = (end.wall - begin.wall) - (end.steady - begin.steady);
  if (abs(parted) < std::chrono::milliseconds(100)) return;
  const double ms = std::chrono::duration<double, std::milli>(parted).count();
  out.push_back({Health::kWarn, "clock", fmt::format("it was set by {:.0f} ms just now", ms),
                 "let one NTP service slew it (chrony), and no other program set it"});
}

}  // namespace attune
