#include "api/workspaces.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "api/handlers.h"
#include "base/json.h"

namespace attune {
namespace {

constexpr std::string_view kKeyHint = "send the key as Basic user name, Bearer or X-API-Key";

// A client may name its write key in the body alone.
std::string key_in_body(const HttpRequest& request) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view key;
  const simdjson::padded_string padded(request.body);
  if (parser.parse(padded).get(root) || root["writeKey"].get(key)) return {};
  return std::string(key);
}

HttpResponse unauthorized(std::string_view code, std::string_view message, std::string_view hint,
                          const HttpRequest& request) {
  auto response = http_error(401, {code, message, "", hint}, request.request_id);
  response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"attune\"");
  return response;
}

HttpResponse unavailable(std::string_view message, const HttpRequest& request) {
  auto response = http_error(503, {"unavailable", message, "", "see /readyz and the server's log"},
                             request.request_id);
  response.headers.emplace_back("Retry-After", "10");
  return response;
}

}  // namespace

bool is_workspace_name(std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= 64 && name[0] != '-' && name[0] != '_' &&
         std::all_of(name.begin(), name.end(), is_plain);
}

std::vector<std::string> workspace_names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(folder, error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    std::string name = it->path().filename().string();
    std::error_code ignored;
    if (!is_workspace_name(name) || !std::filesystem::exists(it->path() / "journal", ignored)) {
      continue;
    }
    names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Workspaces::Workspaces(WorkspacesOptions options)
    : options_(std::move(options)), meters_(routes().size()) {}

void Workspaces::refresh() {
  std::vector<std::string> waiting = workspace_names(options_.folder);
  std::erase_if(waiting, [this](const std::string& name) {
    return std::any_of(open_.begin(), open_.end(), [&](const auto& w) { return w->name == name; });
  });
  const std::uint64_t all = options_.memory_bytes;
  std::vector<Failure> failures;
  for (const std::string& name : waiting) {
    // What cannot be opened takes no share, yet may be mended: it is counted at a start.
    const std::uint64_t share = all / (open_.size() + waiting.size() - failures.size());
    const Status opened = open(name, share);
    if (opened.ok()) continue;
    const auto is_known = [&](const Failure& f) {
      return f.name == name && f.error.message == opened.error().message;
    };
    if (options_.log && std::none_of(failures_.begin(), failures_.end(), is_known)) {
      options_.log->write(LogLevel::kError, "workspace_failed",
                          {{"workspace", name}, {"message", opened.error().message}});
    }
    failures.push_back({name, opened.error()});
  }
  const std::unique_lock lock(mutex_);
  failures_ = std::move(failures);
  if (all == 0 || waiting.empty()) return;
  for (const auto& workspace : open_) workspace->engine->set_memory_limit(all / open_.size());
}

Status Workspaces::open(const std::string& name, std::uint64_t share) {
  if (options_.memory_bytes != 0 && share < kLeastMemory) {
    return Error{Code::kUnavailable,
                 fmt::format("its share of the memory limit would be {} MB, must be at least {} MB",
                             share >> 20, kLeastMemory >> 20),
                 "memory", "give the server more memory, or fewer workspaces"};
  }
  TRY(auto workspace, options_.open(name, share));
  if (options_.log) options_.log->write(LogLevel::kInfo, "workspace_opened", {{"workspace", name}});
  const std::unique_lock lock(mutex_);
  open_.push_back(std::move(workspace));
  std::sort(open_.begin(), open_.end(),
            [](const auto& a, const auto& b) { return a->name < b->name; });
  return ok_status();
}

// Every workspace is asked, so that a key two of them know opens neither, and the time tells
// nothing.
Workspaces::Choice Workspaces::choose(std::string_view key) const {
  const std::shared_lock lock(mutex_);
  Choice choice{.has_failures = !failures_.empty()};
  for (const auto& workspace : open_) {
    if (workspace->keys->find(key).id.empty()) continue;
    choice.app = ++choice.workspaces == 1 ? workspace->app.get() : nullptr;
  }
  return choice;
}

// A preflight names no key: any workspace that takes events of that origin may answer.
App* Workspaces::for_preflight(const HttpRequest& request) const {
  const std::shared_lock lock(mutex_);
  for (const auto& workspace : open_) {
    if (workspace->app->allows_origin(request.header("origin"))) return workspace->app.get();
  }
  return open_.empty() ? nullptr : open_.front()->app.get();
}

HttpResponse Workspaces::ready_answer(const HttpRequest& request) const {
  const std::vector<WorkspaceState> all = states();
  const auto n = std::count_if(all.begin(), all.end(), [](const auto& w) { return w.ready.ok(); });
  const bool is_whole = n == static_cast<std::ptrdiff_t>(all.size());
  if (n == 0 && !all.empty()) {
    return unavailable(all.front().name + ": " + all.front().ready.error().message, request);
  }
  std::string body;
  JsonWriter json(body);
  json.begin_object()
      .field("status", is_whole ? "ok" : "degraded")
      .key("workspaces")
      .begin_object();
  for (const WorkspaceState& workspace : all) {
    json.field(workspace.name,
               workspace.ready.ok() ? std::string("ok") : workspace.ready.error().message);
  }
  json.end_object().end_object();
  return {.body = std::move(body)};
}

HttpResponse Workspaces::metrics() const {
  const std::shared_lock lock(mutex_);
  std::vector<MeteredWorkspace> all;
  all.reserve(open_.size());
  for (const auto& workspace : open_) all.push_back({workspace->name, &workspace->app->services()});
  return metrics_page(all, meters_);
}

bool Workspaces::answer_itself(const Route& route, const HttpRequest& request,
                               const Respond& respond) const {
  if (route.scope != Scope::kNone) return false;
  if (route.action == &show_metrics) {
    respond(metrics());
  } else if (route.action == &show_ready) {
    respond(ready_answer(request));
  } else if (route.action == &show_openapi) {
    respond({.body = openapi_document()});
  } else {
    respond({.body = R"({"status":"ok"})"});  // alive
  }
  return true;
}

void Workspaces::handle(HttpRequest&& request, Respond respond) {
  const std::string& path = request.raw_path.empty() ? request.path : request.raw_path;
  const bool is_preflight = request.method == "OPTIONS";
  const FoundRoute found = find_route(is_preflight ? "POST" : request.method, path);
  if (found.route == nullptr) return respond(no_route(request, found));
  if (is_preflight) {
    App* const app = for_preflight(request);
    if (app == nullptr) return respond(unavailable("no workspace is open", request));
    return app->handle(std::move(request), std::move(respond));
  }
  if (answer_itself(*found.route, request, respond)) return;
  std::string key = key_of(request);
  if (key.empty() && found.route->scope == Scope::kWrite) key = key_in_body(request);
  if (key.empty()) {
    return respond(unauthorized("unauthorized", "this route needs a key", kKeyHint, request));
  }
  const Choice choice = choose(key);
  if (choice.app != nullptr) return choice.app->handle(std::move(request), std::move(respond));
  if (choice.workspaces > 1) {
    return respond(unauthorized("key_ambiguous", "more than one workspace knows this key",
                                "make a key of one workspace, and revoke this one", request));
  }
  // A client that is told 401 drops its events.
  if (choice.has_failures) {
    return respond(
        unavailable("no open workspace knows this key, and one could not be opened", request));
  }
  respond(unauthorized("unauthorized", "this key is unknown", kKeyHint, request));
}

void Workspaces::note_refused(int status, std::string_view request_id) {
  meters_.add_refused(status);
  if (options_.log == nullptr) return;
  options_.log->write(LogLevel::kInfo, "request_refused",
                      {{"request_id", request_id}, {"route", "none"}, {"status", status}});
}

std::vector<WorkspaceState> Workspaces::states() const {
  const std::shared_lock lock(mutex_);
  std::vector<WorkspaceState> all;
  for (const auto& workspace : open_) {
    all.push_back({workspace->name, workspace->engine->ready(), true});
  }
  for (const Failure& failure : failures_) all.push_back({failure.name, failure.error, false});
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

Status Workspaces::close() {
  const std::unique_lock lock(mutex_);
  Status first = ok_status();
  for (const auto& workspace : open_) {
    workspace->retraining.reset();
    const Status closed = workspace->engine->close();
    if (first.ok() && !closed.ok()) first = closed;
  }
  return first;
}

}  // namespace attune
