// Workspaces: several workspaces behind one server, each a folder under one. The key of a request
// chooses its workspace, and nothing else does: a key of one never reaches another. A workspace
// that cannot be opened stops no other. Safe to share.
#pragma once
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "api/app.h"
#include "collect/options.h"
#include "engine/retraining.h"

namespace attune {

// Declared in the order they need each other.
struct ServedWorkspace {
  std::string name;  // of its folder
  std::unique_ptr<Log> log;
  EventMapping mapping;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<ApiKeys> keys;
  std::unique_ptr<App> app;
  std::unique_ptr<Retraining> retraining;
};

// 1-64 of a-z, 0-9, - and _, the first a letter or digit: a folder name and a label.
bool is_workspace_name(std::string_view name);
// Of the folders in this one that hold a workspace; sorted.
std::vector<std::string> workspace_names(const std::string& folder);

struct WorkspacesOptions {
  std::string folder;
  // Limit of the process, 0 = none. Divided equally among the workspaces; one whose share would be
  // less than kLeastMemory is not opened.
  std::uint64_t memory_bytes = 0;
  // Makes a workspace of the folder of this name, with this share of the memory.
  std::function<Result<std::unique_ptr<ServedWorkspace>>(const std::string& name,
                                                         std::uint64_t memory_bytes)>
      open;
  Log* log = nullptr;
};

struct WorkspaceState {
  std::string name;
  Status ready = ok_status();  // or why it does not serve
  bool is_open = false;
};

class Workspaces {
 public:
  explicit Workspaces(WorkspacesOptions options);
  // Opens what is in the folder and not open: what is new, and what failed before. One thread.
  void refresh();
  // The server's handler.
  void handle(HttpRequest&& request, Respond respond);
  void note_refused(int status, std::string_view request_id);
  std::vector<WorkspaceState> states() const;  // by name
  Status close();

 private:
  struct Failure {
    std::string name;
    Error error;
  };
  struct Choice {
    App* app = nullptr;         // null: none, or more than one
    int workspaces = 0;         // that know the key
    bool has_failures = false;  // its workspace may be one that is not open
  };
  Status open(const std::string& name, std::uint64_t share);
  Choice choose(std::string_view key) const;
  App* for_preflight(const HttpRequest& request) const;
  bool answer_itself(const Route& route, const HttpRequest& request, const Respond& respond) const;
  HttpResponse ready_answer(const HttpRequest& request) const;
  HttpResponse metrics() const;

  const WorkspacesOptions options_;
  Meters meters_;
  mutable std::shared_mutex mutex_;                     // guards what follows
  std::vector<std::unique_ptr<ServedWorkspace>> open_;  // by name; never fewer
  std::vector<Failure> failures_;
};

}  // namespace attune
