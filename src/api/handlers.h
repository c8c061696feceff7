// What each route does, one file per theme. Internal to api.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "api/call.h"

namespace attune {

// events.cc
void store_events(CallPtr call);
void read_back(CallPtr call);
// decisions.cc
void decide_slate(CallPtr call);
void explain_decision(CallPtr call);
void show_learning(CallPtr call);
// items.cc
void put_items(CallPtr call);
void put_item(CallPtr call);
void get_item(CallPtr call);
void delete_item(CallPtr call);
void list_placements(CallPtr call);
void put_placement(CallPtr call);
void get_placement(CallPtr call);
// persons.cc
void get_person(CallPtr call);
void export_person(CallPtr call);
void erase_person(CallPtr call);
void unlink_person(CallPtr call);
// operate.cc
void create_key(CallPtr call);
void list_keys(CallPtr call);
void revoke_key(CallPtr call);
void make_backup(CallPtr call);
void retain_journal(CallPtr call);
void show_health(CallPtr call);
void show_ready(CallPtr call);
void show_openapi(CallPtr call);
// metrics.cc
void show_metrics(CallPtr call);
struct MeteredWorkspace {
  std::string name;  // the label; "" = none
  const Services* services = nullptr;
};
// server: what was refused before it reached a workspace.
HttpResponse metrics_page(std::span<const MeteredWorkspace> workspaces, const Meters& server);

// "user_id:u-1" or "anonymous_id:a-2"; without a prefix a user id.
std::pair<IdType, std::string_view> typed_id(std::string_view text);

std::string openapi_document();  // OpenAPI 3.1, made from the table of routes

}  // namespace attune
