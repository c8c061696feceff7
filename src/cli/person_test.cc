// Commands about a person and about a whole workspace at rest, as a user runs them.
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "api/app.h"
#include "api/http_server.h"
#include "cli/test_run.h"
#include "engine/test_workspace.h"

namespace attune {
namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

// A workspace with two people, one of them with a decision.
class PersonCommands : public testing::Test {
 protected:
  PersonCommands() {
    const auto engine = open_engine(workspace());
    EXPECT_TRUE(engine->control(items(5)).ok());
    EXPECT_TRUE(ingest(*engine, {identify("ann", R"({"city":"Oulu"})", begin_time(), "1"),
                                 click("ann", "i1", begin_time() + seconds(1), "2"),
                                 click("bob", "i2", begin_time() + seconds(2), "3")})
                    .ok());
    EXPECT_TRUE(engine->decide(feed_for("ann")).ok());
    const Status closed = engine->close();
    EXPECT_TRUE(closed.ok()) << closed.error().message;
  }
  std::string workspace() const { return folder_.workspace(); }
  // With the workspace named last.
  Ran on(std::vector<std::string> words) const {
    words.insert(words.end(), {"--workspace", workspace()});
    return run(std::move(words));
  }
  TempFolder folder_;
};

TEST_F(PersonCommands, ShowsWhatIsKnown) {
  const Ran ran = on({"person", "ann", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(has(ran.out, R"("city":"Oulu")")) << ran.out;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 1);
  EXPECT_EQ(on({"person", "user_id:ann"}).out, ran.out);
  EXPECT_FALSE(has(on({"person", "bob"}).out, "Oulu"));
  const Ran none = on({"person", "anonymous_id:ann"});
  EXPECT_EQ(none.code, 1);
  EXPECT_EQ(none.out, "");
  EXPECT_TRUE(has(none.err, "no such person in this workspace")) << none.err;
}

TEST_F(PersonCommands, ExportsAllOfOneAndNothingOfTheOther) {
  const Ran ran = on({"export", "ann"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 4) << ran.out;  // profile, 2, 1
  EXPECT_TRUE(has(ran.out, "Oulu") && has(ran.out, R"("item_id":"i1")"));
  EXPECT_FALSE(has(ran.out, "bob"));
  const std::string file = folder_.path("ann.jsonl");
  const Ran to_file = on({"export", "ann", "--output", file, "--json"});
  EXPECT_EQ(to_file.out, R"({"lines":4,"output":")" + file + "\"}\n");
  EXPECT_EQ(content(file), ran.out);
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const Ran again = on({"export", "ann", "--output", file});
  EXPECT_EQ(again.code, 1);
  EXPECT_TRUE(has(again.err, "is there already")) << again.err;
  EXPECT_EQ(on({"export", "ann", "--json"}).code, 2) << "one object and the lines cannot share it";
}

TEST_F(PersonCommands, EraseAsksThenGivesAReceiptAndLeavesTheOther) {
  const std::string bob = on({"export", "bob"}).out;
  const Ran unasked = on({"erase", "ann"});
  EXPECT_NE(unasked.code, 0);
  EXPECT_TRUE(has(unasked.err, "--yes")) << unasked.err;
  EXPECT_EQ(on({"person", "ann"}).code, 0) << "nothing was erased yet";
  const Ran ran = on({"erase", "ann", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.front(), '{');
  EXPECT_FALSE(has(ran.out, "Oulu"));
  EXPECT_EQ(on({"person", "ann"}).code, 1);
  EXPECT_EQ(on({"export", "ann"}).code, 1);
  EXPECT_EQ(on({"erase", "ann", "--yes"}).code, 1);
  EXPECT_EQ(on({"export", "bob"}).out, bob);
}

// The same through a running server, with its admin key.
TEST_F(PersonCommands, AskARunningServerJustSo) {
  const Ran shown = on({"person", "ann"}), lines = on({"export", "ann"});
  const auto engine = open_engine(workspace());
  ApiKeys keys(*engine);
  App app(*engine, keys, {.is_event_clock = true});
  const auto server = HttpServer::start({}, [&app](HttpRequest&& request, Respond respond) {
    app.handle(std::move(request), std::move(respond));
  });
  ASSERT_TRUE(server.ok());
  const auto key = keys.create("test", bit(Scope::kAdmin));
  ASSERT_TRUE(key.ok());
  ::setenv("ATTUNE_ADMIN_KEY", key->key.c_str(), 1);
  const auto ask = [&](std::vector<std::string> words) {
    words.insert(words.end(),
                 {"--server", "http://127.0.0.1:" + std::to_string((*server)->port())});
    return run(std::move(words));
  };
  EXPECT_TRUE(has(ask({"person", "ann"}).out, "Oulu"));
  EXPECT_EQ(ask({"export", "ann"}).out, lines.out);
  EXPECT_EQ(ask({"erase", "ann", "--yes"}).code, 0);
  EXPECT_TRUE(has(ask({"person", "ann"}).err, "no such person"));
  ::unsetenv("ATTUNE_ADMIN_KEY");
  EXPECT_TRUE(has(ask({"person", "bob"}).err, "ATTUNE_ADMIN_KEY is not set"));
  (*server)->drain(1);
}

TEST_F(PersonCommands, ABackupComesBackWithoutWhoWasErasedSince) {
  const std::string archive = folder_.path("b.tar.zst"), again = folder_.path("again");
  const std::string bob = on({"export", "bob"}).out;
  const Ran made = on({"backup", "--output", archive, "--json"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_TRUE(has(made.out, R"("output":")" + archive + "\"")) << made.out;
  EXPECT_TRUE(has(made.err, "no keys are inside"));
  EXPECT_EQ(on({"backup", "--output", archive}).code, 1) << "never over another one";
  ASSERT_EQ(on({"erase", "ann", "--yes"}).code, 0);
  const std::vector<std::string> restore = {"restore",     archive, "--keys", workspace() + "/keys",
                                            "--workspace", again,   "--json"};
  const Ran restored = run(restore);
  ASSERT_EQ(restored.code, 0) << restored.err;
  EXPECT_TRUE(
      has(restored.out, R"("events":1,"decisions":0,"identities":1,"erased_since_backup":1)"))
      << restored.out;
  EXPECT_EQ(run({"export", "bob", "--workspace", again}).out, bob);
  EXPECT_EQ(run({"person", "ann", "--workspace", again}).code, 1);
  EXPECT_EQ(run(restore).code, 1) << "never over another workspace";
}

TEST_F(PersonCommands, ADamagedArchiveAndAMissingKeyFileAreNamed) {
  const std::string archive = folder_.path("b.tar"), again = folder_.path("again");
  ASSERT_EQ(on({"backup", "--output", archive}).code, 0);
  const auto restore = [&](const std::string& from, const std::string& keys) {
    return run({"restore", from, "--keys", keys, "--workspace", again});
  };
  const Ran keyless = restore(archive, folder_.path("no-keys"));
  EXPECT_EQ(keyless.code, 1);
  EXPECT_TRUE(has(keyless.err, "no-keys")) << keyless.err;
  const std::string whole = content(archive), half = folder_.path("half.tar");
  std::ofstream(half, std::ios::binary) << whole.substr(0, whole.size() / 2);
  const Ran torn = restore(half, workspace() + "/keys");
  EXPECT_EQ(torn.code, 1);
  EXPECT_TRUE(has(torn.err, "half.tar")) << torn.err;
  EXPECT_EQ(restore(archive, workspace() + "/keys").code, 0) << "a failure leaves no folder behind";
}

}  // namespace
}  // namespace attune
