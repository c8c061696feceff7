// For tests of api: an App on an engine in a folder of its own, and calls without sockets.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <future>

#include "api/app.h"

namespace attune {

class AppTest : public testing::Test {
 protected:
  AppTest() {
    folder_ = std::filesystem::temp_directory_path() / "attune-test-XXXXXX";
    CHECK(::mkdtemp(folder_.data()) != nullptr);
    open();
    const auto seeded = keys_->seed([](const char* name) -> const char* {
      const std::string_view variable = name;
      if (variable == "ATTUNE_WRITE_KEY") return "writer";
      return variable == "ATTUNE_API_KEY" ? "reader" : "admin";
    });
    CHECK(seeded.ok() && seeded->empty());
  }
  ~AppTest() override {
    close();
    std::filesystem::remove_all(folder_);
  }
  void open(const ApiOptions& options = {}, Log* log = nullptr) {
    close();
    EngineOptions engine_options;
    engine_options.workspace = folder_ + "/w";
    engine_options.is_ticking = false;
    engine_options.disk_used = [this](const std::string&) { return disk_used_; };
    auto engine = Engine::open(engine_options);
    CHECK(engine.ok());
    engine_ = std::move(engine).value();
    keys_ = std::make_unique<ApiKeys>(*engine_);
    app_ = std::make_unique<App>(*engine_, *keys_, options, log);
  }
  void close() {
    app_.reset();
    keys_.reset();
    engine_.reset();
  }
  HttpResponse call(HttpRequest request) {
    if (request.request_id.empty()) request.request_id = "req_test";
    std::promise<HttpResponse> answer;
    app_->handle(std::move(request), [&](HttpResponse r) { answer.set_value(std::move(r)); });
    return answer.get_future().get();
  }
  HttpResponse call(const std::string& key, const std::string& method, const std::string& path,
                    const std::string& body = "") {
    HttpRequest request;
    request.method = method;
    const auto mark = path.find('?');
    request.path = path.substr(0, mark);
    if (mark != std::string::npos) request.query = path.substr(mark + 1);
    request.body = body;
    if (!key.empty()) request.headers.emplace_back("X-API-Key", key);
    return call(std::move(request));
  }
  static std::string header(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }

  double disk_used_ = 0;
  std::string folder_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<ApiKeys> keys_;
  std::unique_ptr<App> app_;
};

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace attune
