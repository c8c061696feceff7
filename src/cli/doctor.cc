// attune doctor: the machine, the workspace and the server, a line each with what to do.
#include "cli/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "api/workspaces.h"
#include "base/command_line.h"
#include "base/json.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/doctor_data.h"
#include "cli/help.h"

namespace attune {
namespace {

Time wall_now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

constexpr std::string_view kNames[] = {"OK", "WARN", "FAIL"};

struct Report {
  std::vector<Finding> findings;
  std::vector<MemoryPart> memory;
  bool has(Health health) const {
    return std::any_of(findings.begin(), findings.end(),
                       [=](const Finding& f) { return f.health == health; });
  }
};

// Of the machine itself: whatever name the certificate has, this is not the place to check it.
Result<std::string> ask(const Settings& settings, const HttpOptions& http, std::string_view path) {
  const char* key = std::getenv("ATTUNE_ADMIN_KEY");
  const bool is_https = !settings.http.tls.certificate.empty();
  std::string host = http.host == "0.0.0.0" ? "127.0.0.1" : http.host;
  if (is_https) {
    if (const auto tls = load_tls(settings.http, wall_now()); tls.ok() && *tls) {
      const auto names = (*tls)->facts().names;
      if (!names.empty() && std::find(names.begin(), names.end(), host) == names.end()) {
        host = names.front();
      }
    }
  }
  TRY(Client client, Client::connect({is_https, host, http.port}, key ? key : ""));
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

void ask_server(const Settings& settings, const HttpOptions& http, Report& report) {
  const auto ready = ask(settings, http, "/readyz");
  report.findings.push_back(
      ready.ok() ? Finding{Health::kOk, "ready", "the server takes events and decides"}
                 : Finding{Health::kFail, "ready", ready.error().message, "read the server's log"});
  const auto metrics = ask(settings, http, "/metrics");
  if (metrics.ok()) {
    report.memory = memory_of(*metrics);
    report.findings.push_back({Health::kOk, "metrics", "answered"});
  } else {
    report.findings.push_back({Health::kWarn, "metrics", metrics.error().message,
                               "set ATTUNE_ADMIN_KEY to the server's admin key"});
  }
}

void check_port(const Settings& settings, const HttpOptions& http, bool is_in_use, Report& report) {
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
    ask_server(settings, http, report);
  } else {
    const std::string holder = holder_of_port(http.port);
    report.findings.push_back(
        {Health::kFail, "port",
         address + " is taken by " + (holder.empty() ? "another program" : holder),
         "stop it, or choose another port with --listen"});
  }
}

// As a start would; adds an open record and nothing else.
void open_workspace(const Settings& settings, const std::string& path, Report& report) {
  EngineOptions options;
  options.workspace = path;
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
  check_keys(ApiKeys(**engine), report.findings);
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

bool is_whole(const Examination& examined) {
  return std::none_of(examined.findings.begin(), examined.findings.end(),
                      [](const Finding& f) { return f.health == Health::kFail; });
}

// The one workspace, or each of several: then a check is named WORKSPACE.check. Whether any is in
// use.
bool look_at_workspaces(const Settings& settings, Time now, Report& report) {
  const std::string& folder = settings.http.workspaces;
  const bool is_one = folder.empty();
  if (!is_one && workspace_names(folder).empty()) {
    report.findings.push_back({Health::kWarn, "workspaces", "there is none in " + folder,
                               "attune workspace create NAME --workspaces " + folder});
  }
  bool is_in_use = false;
  for (const std::string& name : is_one ? std::vector<std::string>{""} : workspace_names(folder)) {
    const std::string path = is_one ? settings.engine.options.workspace : folder + "/" + name;
    Report own;
    const Examination examined = examine(path, now);
    own.findings = examined.findings;
    if (examined.holder.empty() && is_whole(examined)) open_workspace(settings, path, own);
    is_in_use = is_in_use || !examined.holder.empty();
    for (Finding& finding : own.findings) {
      if (!is_one) finding.check = name + "." + finding.check;
      report.findings.push_back(std::move(finding));
    }
    for (MemoryPart& part : own.memory) {
      if (!is_one) part.name = name + "." + part.name;
      report.memory.push_back(std::move(part));
    }
  }
  return is_in_use;
}

Finding settings_finding(const Status& status) {
  if (status.ok()) return {Health::kOk, "settings", "each in its range"};
  return {Health::kFail, "settings", status.error().message, status.error().hint};
}

// What the settings say up to the first that is wrong.
Status check_settings(const GivenSettings& given, Settings& settings, HttpOptions& http) {
  TRY_OK(load(given, settings));
  TRY(http, http_options(settings.http));
  TRY_OK(engine_options(settings.engine));
  return ok_status();
}

Status doctor(const GivenSettings& given, bool is_json) {
  const ClockPair begin = ClockPair::now();
  const Time now = wall_now();
  Settings settings;
  HttpOptions http;
  Report report;
  const Status valid = check_settings(given, settings, http);
  report.findings = {settings_finding(valid), check_clock(now), check_files(settings),
                     check_memory(settings)};
  const std::string& folder = settings.http.workspaces;
  check_disk(settings, folder.empty() ? settings.engine.options.workspace : folder,
             report.findings);
  check_environment_keys(report.findings);
  check_certificate(settings, now, report.findings);
  const bool is_in_use = look_at_workspaces(settings, now, report);
  if (http.port != 0) check_port(settings, http, is_in_use, report);
  check_clock_steps(begin, report.findings);
  is_json ? print_json(report) : print(report);
  if (!report.has(Health::kFail)) return ok_status();
  return Error{Code::kUnavailable, "doctor: something is wrong", "", "see the lines that say FAIL"};
}

}  // namespace

void add_doctor(Command& app, Action& chosen) {
  Command* command = add_command(
      app, kOperateGroup, "doctor", "Says what is wrong with machine, workspace or server",
      "attune doctor --workspace shop\n"
      "ATTUNE_ADMIN_KEY=... attune doctor --workspace shop --listen 127.0.0.1:8090 --json");
  const auto is_json = std::make_shared<bool>(false);
  const auto given = add_settings(*command, {kWorkspaceFlag,
                                             {"--workspaces", "server.workspaces"},
                                             {"--listen", "server.listen"},
                                             {"--tls-cert", "server.tls_cert"},
                                             {"--tls-key", "server.tls_key"},
                                             {"--memory", "workspace.memory_bytes"}});
  command->add_flag("--json", *is_json, "one JSON object on stdout");
  command->callback([=, &chosen] { chosen = [=] { return doctor(*given, *is_json); }; });
}

}  // namespace attune
