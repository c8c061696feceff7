#include "cli/item_store.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <filesystem>

#include "cli/client.h"
#include "engine/engine.h"

namespace attune {
namespace {

constexpr std::size_t kAskedAtOnce = 50;

class WorkspaceItems final : public ItemStore {
 public:
  BatchSize batch_size() const override { return {.items = 10'000, .bytes = 64u << 20}; }
  explicit WorkspaceItems(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  Result<std::vector<std::string>> known(std::span<const ItemRow> rows) override {
    const auto catalog = engine_->catalog();
    std::vector<std::string> out;
    for (const ItemRow& row : rows) {
      const Item* item = catalog->find(row.id);
      out.push_back(item == nullptr ? "" : item->attributes);
    }
    return out;
  }
  Status put(std::span<const std::string> items) override {
    std::vector<std::string> changes;
    for (const std::string& item : items) {
      changes.push_back(R"({"op":"put_item","item":)" + item + "}");
    }
    is_changed_ = true;
    return engine_->control(changes);
  }
  // A checkpoint, so that the next start replays nothing.
  Status close() override {
    if (is_changed_) TRY_OK(engine_->checkpoint());
    return engine_->close();
  }

 private:
  std::unique_ptr<Engine> engine_;
  bool is_changed_ = false;
};

std::string escaped(std::string_view id) {
  std::string out;
  for (const char c : id) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (is_plain) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Error refusal(const Answer& answer) {
  const bool is_key = answer.status == 401 || answer.status == 403;
  return {Code::kUnavailable, fmt::format("the server answered {}: {}", answer.status, answer.body),
          "", is_key ? "ATTUNE_ADMIN_KEY must be a key of that server with the admin scope" : ""};
}

class ServerItems final : public ItemStore {
 public:
  // Half of what a server takes in one body.
  BatchSize batch_size() const override { return {.items = 500, .bytes = 256 << 10}; }
  explicit ServerItems(Client client) : client_(std::move(client)) {}

  Result<std::vector<std::string>> known(std::span<const ItemRow> rows) override {
    std::vector<std::string> out;
    for (std::size_t begin = 0; begin < rows.size(); begin += kAskedAtOnce) {
      const auto some = rows.subspan(begin, std::min(kAskedAtOnce, rows.size() - begin));
      for (const ItemRow& row : some) {
        TRY_OK(client_.send("GET", "/api/v1/items/" + escaped(row.id), ""));
      }
      for (std::size_t i = 0; i < some.size(); ++i) {
        TRY(const Answer answer, client_.receive_any());
        TRY(out.emplace_back(), item_of(answer));
      }
    }
    return out;
  }
  Status put(std::span<const std::string> items) override {
    std::string body = "[";
    for (const std::string& item : items) body += (body.size() > 1 ? "," : "") + item;
    TRY_OK(client_.send("POST", "/api/v1/items", body + "]"));
    TRY(const Answer answer, client_.receive_any());
    return answer.status == 200 ? ok_status() : Status(refusal(answer));
  }
  Status close() override { return ok_status(); }

 private:
  static Result<std::string> item_of(const Answer& answer) {
    if (answer.status == 404) return std::string();
    if (answer.status != 200) return refusal(answer);
    simdjson::dom::parser parser;
    simdjson::dom::element known;
    if (parser.parse(answer.body).get(known) || known["attributes"].get(known)) {
      return refusal(answer);
    }
    return simdjson::minify(known);
  }
  Client client_;
};

}  // namespace

Result<std::unique_ptr<ItemStore>> ItemStore::of_workspace(const std::string& folder) {
  std::error_code unreadable;
  if (!std::filesystem::is_directory(folder + "/journal", unreadable)) {
    return Error{Code::kNotFound, "no workspace at " + folder, "workspace",
                 "name the folder that attune serve uses with --workspace"};
  }
  EngineOptions options;
  options.workspace = folder;
  options.is_ticking = false;
  TRY(auto engine, Engine::open(options));
  return std::unique_ptr<ItemStore>(std::make_unique<WorkspaceItems>(std::move(engine)));
}

Result<std::unique_ptr<ItemStore>> ItemStore::of_server(const std::string& url, std::string key) {
  if (key.empty()) {
    return Error{Code::kInvalid, "--server needs a key", "",
                 "set ATTUNE_ADMIN_KEY to a key of that server with the admin scope"};
  }
  TRY(const ServerAddress address, parse_server(url));
  TRY(Client client, Client::connect(address, std::move(key)));
  return std::unique_ptr<ItemStore>(std::make_unique<ServerItems>(std::move(client)));
}

}  // namespace attune
