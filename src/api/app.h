// App: HTTP requests to engine calls. Every route stands in one table (app.cc).
#pragma once
#include <atomic>
#include <map>
#include <string>

#include "api/http_server.h"
#include "api/keys.h"
#include "collect/segment.h"
#include "engine/engine.h"

namespace attune {

struct AppOptions {
  CollectOptions collect = {};
  bool is_event_clock = false;  // then event times are taken as they come, however far apart
};

class App {
 public:
  App(Engine& engine, ApiKeys keys, AppOptions options = {});
  // The server's handler. Safe to share.
  void handle(HttpRequest&& request, Respond respond);
  std::string openapi() const;  // OpenAPI 3.1 document, made from the route table

 private:
  struct Call;   // a request under way
  struct Route;  // method, path, scope, what it does
  static const std::vector<Route>& routes();
  const Route* find(const HttpRequest& request, std::vector<std::string>& arguments,
                    bool& is_path_known) const;
  void track(Call& call);
  void decide(Call& call);
  void explain(Call& call);
  void put_item(Call& call);
  void post_items(Call& call);
  void get_item(Call& call);
  void delete_item(Call& call);
  void put_placement(Call& call);
  void get_person(Call& call);
  void delete_person(Call& call);
  void read_back(Call& call);
  void metrics(Call& call);
  void health(Call& call);
  void serve_openapi(Call& call);
  void learning(Call& call);

  Engine& engine_;
  const ApiKeys keys_;
  CollectOptions collect_;
  std::atomic<std::uint64_t> rejected_{0};
};

// {"error":{"code","message","field","hint","request_id"}} with its status.
HttpResponse error_response(const Error& error);
HttpResponse error_response(int status, std::string_view code, std::string_view message,
                            std::string_view hint);

}  // namespace attune
