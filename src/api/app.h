// App: HTTP requests to engine calls: finds the route, checks key and rate, hands over to the
// handler of the route (handlers.h). Safe to share.
#pragma once
#include "api/call.h"
#include "api/routes.h"
#include "api/slow_lane.h"

namespace attune {

class App {
 public:
  // log: may be null. All must outlive the App.
  App(Engine& engine, ApiKeys& keys, ApiOptions options = {}, Log* log = nullptr);
  // The server's handler.
  void handle(HttpRequest&& request, Respond respond);
  // Whether pages of this origin may send events.
  bool allows_origin(std::string_view origin) const;
  const Services& services() const { return services_; }
  // Logs and counts what the server refused itself (HttpOptions::on_refused).
  void note_refused(int status, std::string_view request_id);

 private:
  bool admit(Call& call);
  bool check_origin(Call& call) const;
  void preflight(Call& call) const;
  void run(CallPtr call);

  Services services_;
  SlowLane slow_lane_;
};

// 404 or 405, with what is possible or was meant.
HttpResponse no_route(const HttpRequest& request, const FoundRoute& found);

}  // namespace attune
