#include "cli/feed.h"

#include <simdjson.h>

namespace attune {
namespace {

constexpr std::uint64_t kEventsPerBatch = 250;
constexpr std::size_t kBodyBytes = 256 << 10;  // half of what the server takes

}  // namespace

Status Feed::add(std::string_view event_json) {
  if (!batch_.empty()) batch_ += ',';
  batch_ += event_json;
  ++events_;
  return ++waiting_ < kEventsPerBatch ? ok_status() : flush();
}

Status Feed::flush() {
  if (batch_.empty()) return ok_status();
  const std::string body = "{\"batch\":[" + batch_ + "]}";
  batch_.clear();
  waiting_ = 0;
  TRY(const std::string answer, client().call("POST", "/v1/batch", body));
  if (answer.find("rejected") == std::string::npos) return ok_status();
  return Error{Code::kInternal, "the server refused an event of the demo: " + answer, "", ""};
}

Status Feed::put_items(const std::vector<std::string>& items) {
  std::string body = "[";
  for (const std::string& item : items) {
    if (body.size() > 1) body += ',';
    body += item;
    if (body.size() < kBodyBytes && &item != &items.back()) continue;
    TRY_OK(client().call("POST", "/api/v1/items", body + "]"));
    body = "[";
  }
  return ok_status();
}

double Feed::elapsed_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

Result<double> Feed::auc() {
  TRY(const std::string learning, client().call("GET", "/api/v1/learning", ""));
  return auc_of(learning);
}

double auc_of(const std::string& learning_json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  double auc = -1;
  if (parser.parse(learning_json).get(root) || root["progressive"]["auc"].get(auc)) return -1;
  return auc;
}

}  // namespace attune
