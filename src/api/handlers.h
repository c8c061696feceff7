// What each route does, one file per theme. Internal to api.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "api/call.h"

namespace attune {

// events.cc
void store_events(const CallPtr& call);
void read_back(const CallPtr& call);
// decisions.cc
void decide_slate(const CallPtr& call);
void explain_decision(const CallPtr& call);
void show_learning(const CallPtr& call);
// items.cc
void put_items(const CallPtr& call);
void put_item(const CallPtr& call);
void get_item(const CallPtr& call);
void delete_item(const CallPtr& call);
void list_placements(const CallPtr& call);
void put_placement(const CallPtr& call);
void get_placement(const CallPtr& call);
void preview_placement(const CallPtr& call);
// models.cc
void list_models(const CallPtr& call);
void get_model(const CallPtr& call);
void register_model(const CallPtr& call);
void promote_model(const CallPtr& call);
void roll_back_model(const CallPtr& call);
void challenge_model(const CallPtr& call);
void retire_challenger(const CallPtr& call);
void teach_model(const CallPtr& call);
void keep_model(const CallPtr& call);
void compare_model(const CallPtr& call);
void remove_model(const CallPtr& call);
// persons.cc
void get_person(const CallPtr& call);
void export_person(const CallPtr& call);
void erase_person(const CallPtr& call);
void unlink_person(const CallPtr& call);
// operate.cc
void create_key(const CallPtr& call);
void list_keys(const CallPtr& call);
void revoke_key(const CallPtr& call);
void make_backup(const CallPtr& call);
void retain_journal(const CallPtr& call);
void show_health(const CallPtr& call);
void show_ready(const CallPtr& call);
void show_openapi(const CallPtr& call);
// metrics.cc
void show_metrics(const CallPtr& call);
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
