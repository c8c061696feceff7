#include "api/routes.h"

#include <algorithm>

#include "api/handlers.h"
#include "api/http_text.h"
#include "base/nearest.h"

namespace attune {
namespace {

constexpr Route event_route(std::string_view path, std::string_view operation,
                            std::string_view summary, std::string_view request) {
  return {"POST",        path,
          Scope::kWrite, Pace::kQuick,
          &store_events, operation,
          "Events",      summary,
          request,       operation == "batch" || operation == "import" ? "BatchAnswer" : "Done"};
}

constexpr Route kRoutes[] = {
    event_route("/v1/track", "track", "Store one track event", "Track"),
    event_route("/v1/identify", "identify", "Store traits of a person", "Identify"),
    event_route("/v1/page", "page", "Store a page view", "Page"),
    event_route("/v1/screen", "screen", "Store a screen view", "Screen"),
    event_route("/v1/group", "group", "Store a group membership", "Group"),
    event_route("/v1/alias", "alias", "Join two ids of one person", "Alias"),
    event_route("/v1/batch", "batch", "Store many events", "Batch"),
    event_route("/v1/import", "import", "Store many events, as older clients do", "Batch"),
    {"GET", "/v1/spaces/{space}/collections/users/profiles/{person}/{part}", Scope::kRead,
     Pace::kSlow, &read_back, "readBack", "Events", "Read a person's stored events or traits", "",
     "ReadBack"},
    {"POST", "/api/v1/decide", Scope::kDecide, Pace::kQuick, &decide_slate, "decide", "Decisions",
     "Choose what to show a person", "DecideRequest", "Decision"},
    {"GET", "/api/v1/decisions/{id}", Scope::kRead, Pace::kSlow, &explain_decision,
     "explainDecision", "Decisions", "Explain a decision", "", "ExplainedDecision"},
    {"GET", "/api/v1/learning", Scope::kRead, Pace::kQuick, &show_learning, "showLearning",
     "Decisions", "How well the model and each policy do", "", "Learning"},
    {"POST", "/api/v1/items", Scope::kAdmin, Pace::kSlow, &put_items, "putItems", "Items",
     "Store many items; bad ones are named and left out", "Items", "ItemsAnswer"},
    {"PUT", "/api/v1/items/{id}", Scope::kAdmin, Pace::kSlow, &put_item, "putItem", "Items",
     "Store an item", "Item", "Done"},
    {"GET", "/api/v1/items/{id}", Scope::kRead, Pace::kQuick, &get_item, "getItem", "Items",
     "Read an item", "", "StoredItem"},
    {"DELETE", "/api/v1/items/{id}", Scope::kAdmin, Pace::kSlow, &delete_item, "deleteItem",
     "Items", "Remove an item", "", "Done"},
    {"GET", "/api/v1/placements", Scope::kRead, Pace::kQuick, &list_placements, "listPlacements",
     "Placements", "List the placements", "", "Placements"},
    {"PUT", "/api/v1/placements/{name}", Scope::kAdmin, Pace::kSlow, &put_placement, "putPlacement",
     "Placements", "Store a placement", "Placement", "Done"},
    {"GET", "/api/v1/placements/{name}", Scope::kRead, Pace::kQuick, &get_placement, "getPlacement",
     "Placements", "Read a placement", "", "Placement"},
    {"POST", "/api/v1/placements/{name}/preview", Scope::kRead, Pace::kSlow, &preview_placement,
     "previewPlacement", "Placements", "What its dials would do to the lists of late",
     "PreviewRequest", "Preview"},
    {"GET", "/api/v1/models", Scope::kRead, Pace::kQuick, &list_models, "listModels", "Models",
     "List the registered models", "", "Models"},
    {"POST", "/api/v1/models", Scope::kAdmin, Pace::kSlow, &register_model, "registerModel",
     "Models", "Register a model file that lies in the workspace", "ModelRequest", "NewVersion"},
    {"GET", "/api/v1/models/{name}", Scope::kRead, Pace::kQuick, &get_model, "getModel", "Models",
     "Versions of a model, and each step it took", "", "Model"},
    {"POST", "/api/v1/models/{name}/promote", Scope::kAdmin, Pace::kSlow, &promote_model,
     "promoteModel", "Models", "Let a version rank where a placement asks for the model",
     "Promotion", "Model"},
    {"POST", "/api/v1/models/{name}/roll_back", Scope::kAdmin, Pace::kSlow, &roll_back_model,
     "rollBackModel", "Models", "Back to the version promoted before, or to the live learner",
     "RollBack", "Model"},
    {"POST", "/api/v1/models/{name}/challenge", Scope::kAdmin, Pace::kSlow, &challenge_model,
     "challengeModel", "Models",
     "Measure a version beside what ranks; with a share, let it rank for some persons", "Challenge",
     "Model"},
    {"POST", "/api/v1/models/{name}/retire", Scope::kAdmin, Pace::kSlow, &retire_challenger,
     "retireChallenger", "Models", "End the challenge", "Retirement", "Model"},
    {"POST", "/api/v1/models/{name}/learn", Scope::kAdmin, Pace::kSlow, &teach_model, "teachModel",
     "Models", "Let a version go on learning from the stream, or no longer", "Teaching", "Model"},
    {"POST", "/api/v1/models/{name}/keep", Scope::kAdmin, Pace::kSlow, &keep_model, "keepModel",
     "Models", "What a version has learned from the stream becomes the next version", "Keeping",
     "Model"},
    {"GET", "/api/v1/models/{name}/comparison", Scope::kRead, Pace::kSlow, &compare_model,
     "compareModel", "Models", "What the challenger and what ranks came to", "", "Comparison"},
    {"DELETE", "/api/v1/models/{name}/versions/{version}", Scope::kAdmin, Pace::kSlow,
     &remove_model, "removeModelVersion", "Models", "Remove a version that is not promoted", "",
     "Model"},
    {"GET", "/api/v1/persons/{id}", Scope::kRead, Pace::kQuick, &get_person, "getPerson", "Persons",
     "What is known of a person", "", "Person"},
    {"DELETE", "/api/v1/persons/{id}", Scope::kAdmin, Pace::kSlow, &erase_person, "erasePerson",
     "Persons", "Erase a person; the answer is the receipt", "", "Receipt"},
    {"GET", "/api/v1/persons/{id}/export", Scope::kAdmin, Pace::kSlow, &export_person,
     "exportPerson", "Persons", "Everything stored of a person, a JSON object a line", "",
     "application/x-ndjson"},
    {"POST", "/api/v1/persons/{id}/unlink", Scope::kAdmin, Pace::kSlow, &unlink_person,
     "unlinkPerson", "Persons", "Undo the joining of an anonymous id with a user id", "Unlink",
     "Done"},
    {"POST", "/api/v1/keys", Scope::kAdmin, Pace::kSlow, &create_key, "createKey", "Keys",
     "Make a key; it is shown this once", "KeyRequest", "NewKey"},
    {"GET", "/api/v1/keys", Scope::kAdmin, Pace::kQuick, &list_keys, "listKeys", "Keys",
     "List the keys, without what is secret", "", "Keys"},
    {"DELETE", "/api/v1/keys/{id}", Scope::kAdmin, Pace::kSlow, &revoke_key, "revokeKey", "Keys",
     "Revoke a key", "", "Done"},
    {"POST", "/api/v1/backup", Scope::kAdmin, Pace::kSlow, &make_backup, "makeBackup", "Operation",
     "Back up into the configured folder", "BackupRequest", "Backup"},
    {"POST", "/api/v1/retain", Scope::kAdmin, Pace::kSlow, &retain_journal, "retainJournal",
     "Operation", "Drop what is older than the retention allows", "", "Retained"},
    {"GET", "/metrics", Scope::kNone, Pace::kQuick, &show_metrics, "showMetrics", "Operation",
     "Prometheus metrics", "", "text/plain"},
    {"GET", "/healthz", Scope::kNone, Pace::kQuick, &show_health, "showHealth", "Operation",
     "Whether the process is alive", "", "Status"},
    {"GET", "/readyz", Scope::kNone, Pace::kQuick, &show_ready, "showReady", "Operation",
     "Whether events are accepted, or why not", "", "Status"},
    {"GET", "/openapi.json", Scope::kNone, Pace::kQuick, &show_openapi, "showDescription",
     "Operation", "This description", "", "Description"},
};

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const auto slash = path.find('/', 1);
    parts.push_back(path.substr(1, slash == std::string_view::npos ? slash : slash - 1));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
  }
  if (parts.size() > 1 && parts.back().empty()) parts.pop_back();  // trailing slash
  return parts;
}

const std::vector<std::vector<std::string_view>>& patterns() {
  static const auto all = [] {
    std::vector<std::vector<std::string_view>> split;
    for (const Route& route : kRoutes) split.push_back(split_path(route.path));
    return split;
  }();
  return all;
}

bool matches(const std::vector<std::string_view>& pattern,
             const std::vector<std::string_view>& parts) {
  return std::equal(pattern.begin(), pattern.end(), parts.begin(), parts.end(),
                    [](std::string_view wanted, std::string_view part) {
                      return wanted.starts_with('{') ? !part.empty() : wanted == part;
                    });
}

void take_arguments(const std::vector<std::string_view>& pattern,
                    const std::vector<std::string_view>& parts, FoundRoute& found) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (pattern[i].starts_with('{')) {
      found.arguments.push_back(percent_decode(parts[i]).value_or(""));
    }
  }
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

FoundRoute find_route(std::string_view method, std::string_view path) {
  const auto parts = split_path(path);
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  FoundRoute found;
  for (std::size_t i = 0; i < std::size(kRoutes); ++i) {
    if (!matches(patterns()[i], parts)) continue;
    found.allowed.append(found.allowed.empty() ? "" : ", ").append(kRoutes[i].method);
    if (kRoutes[i].method != wanted || found.route != nullptr) continue;
    found.route = &kRoutes[i];
    take_arguments(patterns()[i], parts, found);
  }
  return found;
}

std::string nearest_route(std::string_view path) {
  std::vector<std::string> known;
  for (const Route& route : kRoutes) known.emplace_back(route.path);
  return nearest(path.substr(0, 200), known);
}

}  // namespace attune
