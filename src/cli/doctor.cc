// attune doctor: the machine, the workspace and the server, a line each with what to do.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/doctor_data.h"
#include "cli/help.h"
#include "cli/settings.h"
#include "engine/examine.h"

namespace attune {
namespace {

constexpr rlim_t kFilesBesideConnections = 256;  // log files, databases, libraries
constexpr std::string_view kNames[] = {"OK", "WARN", "FAIL"};

struct Report {
  std::vector<Finding> findings;
  std::vector<MemoryPart> memory;
  bool has(Health health) const {
    return std::any_of(findings.begin(), findings.end(),
                       [=](const Finding& f) { return f.health == health; });
  }
};

std::string megabytes(std::uint64_t bytes) { return fmt::format("{} MB", bytes >> 20); }

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

// Of the machine, or of the control group when that is less.
std::uint64_t machine_memory() {
  std::uint64_t kilobytes = 0;
  std::string word;
  for (std::ifstream in("/proc/meminfo"); in >> word;) {
    if (word == "MemTotal:" && in >> kilobytes) break;
  }
  std::uint64_t bytes = kilobytes << 10, group = 0;
  if (std::ifstream in("/sys/fs/cgroup/memory.max"); in >> group) bytes = std::min(bytes, group);
  return bytes;
}

Finding check_memory(const Settings& settings) {
  const std::uint64_t limit = settings.engine.options.memory_bytes, all = machine_memory();
  if (limit == 0) {
    return {Health::kOk, "memory", fmt::format("no limit set, the machine has {}", megabytes(all))};
  }
  const std::string says = fmt::format("limit {} of {}", megabytes(limit), megabytes(all));
  const char* const fix = "a smaller --memory: the system needs its share too";
  if (limit > all) return {Health::kFail, "memory", says, fix};
  if (limit > all / 10 * 9) return {Health::kWarn, "memory", says, fix};
  return {Health::kOk, "memory", says};
}

Finding check_disk(const Settings& settings) {
  namespace fs = std::filesystem;
  fs::path folder = fs::absolute(settings.engine.options.workspace);
  while (!fs::exists(folder) && folder.has_relative_path()) folder = folder.parent_path();
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

Finding check_clock(Time now) {
  constexpr std::int64_t kBuildYearUs = 1'735'689'600'000'000;  // 2025-01-01
  if (to_us(now) >= kBuildYearUs) return {Health::kOk, "clock", format_iso8601(now)};
  return {Health::kFail, "clock", "the machine's clock says " + format_iso8601(now),
          "set it (timedatectl set-ntp true)"};
}

bool is_port_free(const HttpOptions& http) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(http.port);
  ::inet_pton(AF_INET, http.host.c_str(), &address.sin_addr);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address);
  const bool is_free = bound == 0 || errno != EADDRINUSE;
  ::close(socket);
  return is_free;
}

Result<std::string> ask(const HttpOptions& http, std::string_view path) {
  const char* key = std::getenv("ATTUNE_ADMIN_KEY");
  TRY(Client client,
      Client::connect(http.host == "0.0.0.0" ? "127.0.0.1" : http.host, http.port, key ? key : ""));
  return client.call("GET", path, "");
}

// attune_memory_bytes{part="profiles"} 1234
std::vector<MemoryPart> memory_of(const std::string& metrics) {
  std::vector<MemoryPart> parts;
  constexpr std::string_view kName = "attune_memory_bytes{";
  for (auto at = metrics.find(kName); at != std::string::npos; at = metrics.find(kName, at + 1)) {
    const auto open = metrics.find('"', at), close = metrics.find('"', open + 1);
    const auto space = metrics.find(' ', close);
    if (space == std::string::npos) break;
    parts.push_back({metrics.substr(open + 1, close - open - 1),
                     std::strtoull(metrics.c_str() + space, nullptr, 10)});
  }
  return parts;
}

void ask_server(const HttpOptions& http, Report& report) {
  const auto ready = ask(http, "/readyz");
  report.findings.push_back(
      ready.ok() ? Finding{Health::kOk, "ready", "the server takes events and decides"}
                 : Finding{Health::kFail, "ready", ready.error().message, "read the server's log"});
  const auto metrics = ask(http, "/metrics");
  if (metrics.ok()) {
    report.memory = memory_of(*metrics);
    report.findings.push_back({Health::kOk, "metrics", "answered"});
  } else {
    report.findings.push_back({Health::kWarn, "metrics", metrics.error().message,
                               "set ATTUNE_ADMIN_KEY to the server's admin key"});
  }
}

void check_port(const HttpOptions& http, bool is_in_use, Report& report) {
  const std::string address = fmt::format("{}:{}", http.host, http.port);
  if (is_port_free(http)) {
    report.findings.push_back(is_in_use ? Finding{Health::kWarn, "port",
                                                  "nobody serves on " + address +
                                                      ", but the workspace "
                                                      "is in use",
                                                  "name the server's address with --listen"}
                                        : Finding{Health::kOk, "port", address + " is free"});
  } else if (is_in_use) {
    report.findings.push_back({Health::kOk, "port", address + " is served"});
    ask_server(http, report);
  } else {
    report.findings.push_back({Health::kFail, "port", address + " is taken by another program",
                               "stop it, or choose another port with --listen"});
  }
}

// As a start would; adds an open record and nothing else.
void open_workspace(const Settings& settings, Report& report) {
  EngineOptions options;
  options.workspace = settings.engine.options.workspace;
  options.memory_bytes = settings.engine.options.memory_bytes;
  options.is_ticking = false;
  const auto engine = Engine::open(options);
  if (!engine.ok()) {
    report.findings.push_back(
        {Health::kFail, "opens", engine.error().message, engine.error().hint});
    return;
  }
  report.memory = (*engine)->memory();
  report.findings.push_back(
      {Health::kOk, "opens", fmt::format("{} identities", (*engine)->counts().identities)});
  const auto catalog = (*engine)->catalog();
  (void)(*engine)->close();
  for (Finding& finding : check_data(options.workspace, *catalog)) {
    report.findings.push_back(std::move(finding));
  }
}

void print(const Report& report) {
  for (const Finding& f : report.findings) {
    std::printf("%-5s %-10s %s\n", kNames[static_cast<int>(f.health)].data(), f.check.c_str(),
                f.says.c_str());
    if (f.health != Health::kOk && !f.fix.empty()) {
      std::printf("      %-10s -> %s\n", "", f.fix.c_str());
    }
  }
  for (const MemoryPart& part : report.memory) {
    std::printf("      %-16s %14s bytes\n", part.name.c_str(),
                fmt::format("{}", part.bytes).c_str());
  }
}

void print_json(const Report& report) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("ok", !report.has(Health::kFail)).key("checks").begin_array();
  for (const Finding& f : report.findings) {
    json.begin_object().field("check", f.check).field("health", kNames[static_cast<int>(f.health)]);
    json.field("says", f.says).field("fix", f.fix).end_object();
  }
  json.end_array().key("memory_bytes").begin_object();
  for (const MemoryPart& part : report.memory) json.field(part.name, part.bytes);
  json.end_object().end_object();
  std::printf("%s\n", out.c_str());
}

Status doctor(const GivenSettings& given, bool is_json) {
  Settings settings;
  TRY_OK(load(given, settings));
  TRY(const EngineOptions engine, engine_options(settings.engine));
  TRY(const HttpOptions http, http_options(settings.http));
  const Time now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  Report report;
  report.findings = {check_clock(now), check_files(settings), check_memory(settings),
                     check_disk(settings)};
  const Examination examined = examine(engine.workspace, now);
  report.findings.insert(report.findings.end(), examined.findings.begin(), examined.findings.end());
  check_port(http, !examined.holder.empty(), report);
  const bool is_whole = std::none_of(examined.findings.begin(), examined.findings.end(),
                                     [](const Finding& f) { return f.health == Health::kFail; });
  if (examined.holder.empty() && is_whole) open_workspace(settings, report);
  is_json ? print_json(report) : print(report);
  if (!report.has(Health::kFail)) return ok_status();
  return Error{Code::kUnavailable, "doctor: something is wrong", "", "see the lines that say FAIL"};
}

}  // namespace

void add_doctor(CLI::App& app, Action& chosen) {
  CLI::App* command = add_command(
      app, kOperateGroup, "doctor", "Says what is wrong with machine, workspace or server",
      "attune doctor --workspace shop\n"
      "ATTUNE_ADMIN_KEY=... attune doctor --workspace shop --listen 127.0.0.1:8090 --json");
  const auto is_json = std::make_shared<bool>(false);
  const auto given = add_settings(
      *command,
      {kWorkspaceFlag, {"--listen", "server.listen"}, {"--memory", "workspace.memory_bytes"}});
  command->add_flag("--json", *is_json, "one JSON object on stdout");
  command->callback([=, &chosen] { chosen = [=] { return doctor(*given, *is_json); }; });
}

}  // namespace attune
