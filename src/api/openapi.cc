// /openapi.json, from the table of routes: paths, bodies, answers, keys. What a route may answer
// beside 200 follows from what it is.
#include <simdjson.h>

#include <algorithm>

#include "api/handlers.h"
#include "api/openapi_schemas.h"
#include "api/routes.h"
#include "base/json.h"
#include "base/version.h"

namespace attune {
namespace {

struct Refusal {
  std::string_view status;
  std::string_view name;  // of components.responses
  std::string_view description;
};
constexpr Refusal kRefusals[] = {
    {"400", "Invalid", "Something in the request is wrong; nothing was stored."},
    {"401", "Unauthorized", "The key is missing, unknown or revoked."},
    {"403", "Forbidden", "The key may not do that, or not from this page."},
    {"404", "NotFound", "There is no such thing."},
    {"408", "Late", "The request took too long to arrive."},
    {"409", "Conflict", "The state of the workspace does not allow it."},
    {"413", "TooLarge", "The body is over the limit."},
    {"415", "Unsupported", "The type or encoding of the body is not supported."},
    {"429", "TooMany", "This key sends too many requests or events; see Retry-After."},
    {"503", "Unavailable", "Not now; see Retry-After."},
};

bool may_answer(const Route& route, std::string_view status) {
  const bool has_body = !route.request.empty();
  const bool has_key = route.scope != Scope::kNone;
  const bool has_argument = route.path.find('{') != std::string_view::npos;
  if (status == "400") return has_body || has_argument;
  if (status == "401" || status == "403" || status == "429") return has_key;
  if (status == "404") return has_argument && route.method != "PUT";
  if (status == "408") return true;
  if (status == "409") return route.scope == Scope::kAdmin;
  if (status == "413" || status == "415") return has_body;
  return has_key || route.path == "/readyz";
}

// An example of an argument of a path.
std::string_view example_of(std::string_view path, std::string_view argument) {
  if (argument == "space") return "shop";
  if (argument == "part") return "events";
  if (argument == "person" || path.find("/persons/") != std::string_view::npos) {
    return "user_id:ann";
  }
  if (path.find("/models/") != std::string_view::npos) return argument == "name" ? "ranker" : "1";
  if (argument == "name") return "feed";
  if (path.find("/keys/") != std::string_view::npos) return "k_0123456789";
  if (path.find("/decisions/") != std::string_view::npos) return "d_01JBNXH8P0000000000000000";
  return "p1";
}

void write_parameters(const Route& route, JsonWriter& json) {
  json.key("parameters").begin_array();
  std::string_view left = route.path;
  for (auto open = left.find('{'); open != std::string_view::npos; open = left.find('{')) {
    const std::string_view name = left.substr(open + 1, left.find('}') - open - 1);
    left = left.substr(left.find('}') + 1);
    json.begin_object().field("name", name).field("in", "path").field("required", true);
    json.key("schema").raw(R"({"type":"string","minLength":1})");
    json.field("example", example_of(route.path, name)).end_object();
  }
  if (route.operation == "readBack") {
    json.raw(
        R"({"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":200}})");
  }
  json.end_array();
}

void write_schema(std::string_view name, JsonWriter& json) {
  json.key("schema").begin_object();
  json.field("$ref", "#/components/schemas/" + std::string(name)).end_object();
}

void write_content(std::string_view response, JsonWriter& json) {
  json.key("content").begin_object();
  if (response.find('/') != std::string_view::npos) {
    json.key(response).raw(R"({"schema":{"type":"string"}})");
  } else {
    json.key("application/json").begin_object();
    write_schema(response, json);
    json.end_object();
  }
  json.end_object();
}

void write_responses(const Route& route, JsonWriter& json) {
  json.key("responses").begin_object().key("200").begin_object().field("description", "Done.");
  write_content(route.response, json);
  json.end_object();
  for (const Refusal& refusal : kRefusals) {
    if (!may_answer(route, refusal.status)) continue;
    json.key(refusal.status).begin_object();
    json.field("$ref", "#/components/responses/" + std::string(refusal.name)).end_object();
  }
  json.end_object();
}

void write_security(const Route& route, JsonWriter& json) {
  json.key("security").begin_array();
  if (route.scope != Scope::kNone) {
    for (const std::string_view scheme : {"basic", "bearer", "header"}) {
      json.begin_object().key(scheme).begin_array().end_array().end_object();
    }
    if (route.scope == Scope::kWrite) json.begin_object().end_object();  // writeKey in the body
  }
  json.end_array();
  if (route.scope != Scope::kNone) json.field("x-scope", scope_names(bit(route.scope))[0]);
}

std::string description_of(const Route& route) {
  std::string text(route.summary);
  if (route.scope == Scope::kNone) return text + ". Needs no key.";
  text += ". Needs a key with the scope " + std::string(scope_names(bit(route.scope))[0]);
  if (route.scope == Scope::kWrite) text += ", in a header or as writeKey in the body";
  return text + ".";
}

void write_operation(const Route& route, JsonWriter& json) {
  std::string method(route.method);
  std::transform(method.begin(), method.end(), method.begin(),
                 [](char c) { return static_cast<char>(c | 0x20); });
  json.key(method).begin_object().field("operationId", route.operation);
  json.field("summary", route.summary).field("description", description_of(route));
  json.key("tags").begin_array().value(route.tag).end_array();
  write_security(route, json);
  write_parameters(route, json);
  if (!route.request.empty()) {
    json.key("requestBody").begin_object().field("required", true);
    write_content(route.request, json);
    json.end_object();
  }
  write_responses(route, json);
  json.end_object();
}

void write_paths(JsonWriter& json) {
  json.key("paths").begin_object();
  for (const Route& route : routes()) {
    const auto is_same = [&](const Route& other) { return other.path == route.path; };
    if (&*std::find_if(routes().begin(), routes().end(), is_same) != &route) continue;
    json.key(route.path).begin_object();
    for (const Route& same : routes()) {
      if (is_same(same)) write_operation(same, json);
    }
    json.end_object();
  }
  json.end_object();
}

void write_components(JsonWriter& json) {
  json.key("components").begin_object().key("securitySchemes");
  json.raw(R"({"basic":{"type":"http","scheme":"basic","description":"The key as user name."},)"
           R"("bearer":{"type":"http","scheme":"bearer"},)"
           R"("header":{"type":"apiKey","in":"header","name":"X-API-Key"}})");
  json.key("responses").begin_object();
  for (const Refusal& refusal : kRefusals) {
    json.key(refusal.name).begin_object().field("description", refusal.description);
    write_content("Error", json);
    json.end_object();
  }
  json.end_object().key("schemas");
  std::string schemas = openapi_schemas();
  json.raw(schemas).end_object();
}

std::string make_document() {
  std::string out;
  JsonWriter json(out);
  json.begin_object().field("openapi", "3.1.0").key("info").begin_object();
  json.field("title", "Attune").field("version", kVersion);
  json.field("description", "Takes events, decides what to show, and says why.");
  json.key("contact").raw(R"({"name":"The operator of this server"})");
  json.key("license").raw(R"({"name":"Apache-2.0","identifier":"Apache-2.0"})").end_object();
  json.key("servers").raw(R"([{"url":"/"}])").key("tags").begin_array();
  for (const std::string_view tag :
       {"Events", "Decisions", "Items", "Placements", "Models", "Persons", "Keys", "Operation"}) {
    json.begin_object().field("name", tag).end_object();
  }
  json.end_array();
  write_paths(json);
  write_components(json);
  json.end_object();
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  CHECK(!parser.parse(out).get(root));
  return simdjson::minify(root);
}

}  // namespace

std::string openapi_document() {
  static const std::string document = make_document();
  return document;
}

}  // namespace attune
