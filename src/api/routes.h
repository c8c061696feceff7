// The table of routes: method, path, scope, what it does, and what /openapi.json says of it.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/call.h"
#include "catalog/key.h"

namespace attune {

// kSlow: waits for the disk or reads the journal, so it runs off the threads of the HTTP server.
enum class Pace { kQuick, kSlow };

struct Route {
  std::string_view method;
  std::string_view path;  // "{name}" matches one part
  Scope scope;
  Pace pace;
  void (*action)(const CallPtr&);
  std::string_view operation;  // unique name
  std::string_view tag;
  std::string_view summary;
  std::string_view request = {};   // schema of the body (openapi_schemas.cc); "" = no body
  std::string_view response = {};  // schema of a 200, or its media type
};

std::span<const Route> routes();

struct FoundRoute {
  const Route* route = nullptr;  // null: no such path, or not with that method
  std::vector<std::string> arguments;
  std::string allowed;  // methods of that path: "GET, PUT"; "" = no such path
};
// path: percent-encoded. HEAD finds GET.
FoundRoute find_route(std::string_view method, std::string_view path);
// The path a mistyped one most likely meant; "" when none is near.
std::string nearest_route(std::string_view path);

}  // namespace attune
