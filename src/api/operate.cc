// For operators: keys, backup, retention, health, the description.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "api/body.h"
#include "api/handlers.h"
#include "base/json.h"

namespace attune {
namespace {

constexpr std::string_view kKeyFields[] = {"name", "scopes"};
constexpr std::string_view kBackupFields[] = {"name"};
constexpr std::string_view kScopeNames[] = {"write", "decide", "read", "admin"};

struct KeyRequest {
  std::string name;
  std::uint8_t scopes = 0;
};

Result<KeyRequest> parse_key_request(const std::string& body) {
  TRY(const simdjson::dom::object object, read_object(body));
  const JsonFields fields(object, "");
  TRY_OK(fields.only("field", kKeyFields));
  KeyRequest request;
  TRY_OK(fields.id("name", true, request.name));
  std::vector<std::string> scopes;
  TRY_OK(fields.texts("scopes", scopes));
  for (const std::string& name : scopes) {
    const auto scope = scope_from_name(name);
    if (!scope) return unknown_name("scope", name, kScopeNames, "scopes");
    request.scopes |= bit(*scope);
  }
  if (request.scopes == 0) {
    return fields.wrong("scopes", "at least one of write, decide, read, admin");
  }
  return request;
}

// One name inside the folder: nothing of it may lead out.
bool is_plain_name(std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= 100 && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), is_plain);
}

Result<std::string> backup_name(const Call& call) {
  TRY(const simdjson::dom::object object, read_object(call.request.body));
  const JsonFields fields(object, "");
  TRY_OK(fields.only("field", kBackupFields));
  std::string name = "backup-" + format_iso8601(call.engine().now());
  std::replace(name.begin(), name.end(), ':', '-');
  TRY_OK(fields.text("name", name));
  if (is_plain_name(name)) return name;
  return fields.wrong("name", "1-100 letters, digits, - _ and ., not beginning with a dot");
}

}  // namespace

void create_key(const CallPtr& call) {
  const auto request = parse_key_request(call->request.body);
  if (!request.ok()) return call->fail(request.error());
  const auto made = call->services->keys.create(request->name, request->scopes);
  if (!made.ok()) return call->fail(made.error());
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("id", made->id).field("key", made->key).key("scopes").begin_array();
  for (const std::string_view scope : scope_names(request->scopes)) json.value(scope);
  json.end_array().field("hint", "keep the key: it is shown this once").end_object();
  call->answer(std::move(body));
}

void list_keys(const CallPtr& call) {
  std::string body = "{\"keys\":[";
  for (const StoredKey& key : call->services->keys.list()) {
    if (body.back() != '[') body += ",";
    body += key_json(key);
  }
  call->answer(body + "]}");
}

void revoke_key(const CallPtr& call) {
  if (call->key.id == call->arguments[0]) {
    return call->fail({Code::kConflict, "a key cannot revoke itself", "id",
                       "use another key with the scope admin, so that one is left"});
  }
  const Status status = call->services->keys.revoke(call->arguments[0]);
  status.ok() ? call->done() : call->fail(status.error());
}

void make_backup(const CallPtr& call) {
  const auto name = backup_name(*call);
  if (!name.ok()) return call->fail(name.error());
  const std::string& folder = call->services->options.backup_folder;
  if (folder.empty()) {
    return call->fail({Code::kConflict, "no folder for backups is configured", "",
                       "set api.backup_folder, or use attune backup"});
  }
  const bool is_named_whole = name->ends_with(".tar") || name->ends_with(".tar.zst");
  const std::string file = is_named_whole ? *name : *name + ".tar.zst";
  std::error_code ignored;  // the archive's own error says more
  std::filesystem::create_directories(folder, ignored);
  const auto report = call->engine().backup(folder + "/" + file);
  if (!report.ok()) return call->fail(report.error());
  std::string body;
  JsonWriter(body)
      .begin_object()
      .field("success", true)
      .field("name", file)
      .field("files", report->files)
      .field("bytes", report->bytes)
      .end_object();
  call->answer(std::move(body));
}

void retain_journal(const CallPtr& call) {
  const auto dropped = call->engine().retain();
  if (!dropped.ok()) return call->fail(dropped.error());
  call->answer(fmt::format("{{\"success\":true,\"dropped_records\":{}}}", *dropped));
}

void show_health(const CallPtr& call) { call->answer(std::string("{\"status\":\"ok\"}")); }

void show_ready(const CallPtr& call) {
  const Status ready = call->engine().ready();
  ready.ok() ? call->answer(std::string("{\"status\":\"ok\"}")) : call->fail(ready.error());
}

void show_openapi(const CallPtr& call) { call->answer(openapi_document()); }

}  // namespace attune
