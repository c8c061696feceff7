// Commands as a user runs them: what goes where, and the exit codes.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/test_run.h"
#include "engine/test_workspace.h"
#include "simulate/ctr_text.h"
#include "simulate/world.h"

namespace attune {
namespace {

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

TEST(SimulateWorld, WritesTheFrozenRowsAfterAHeader) {
  const TempFolder folder;
  const Ran ran = run({"simulate", "world", "--seed", "2", "--rows", "2500", "--output",
                       folder.path("w.csv"), "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const World world(2);
  std::string wanted = "person,item,day,p,click\n";
  for (const WorldRow& row : world.rows(2500)) wanted += world_row_csv(world, row);
  EXPECT_EQ(content(folder.path("w.csv")), wanted);
  EXPECT_NE(ran.out.find(R"({"world":1,"seed":2,"rows":2500,)"), std::string::npos) << ran.out;
  EXPECT_EQ(run({"simulate", "world", "--seed", "2", "--rows", "2500"}).out, wanted);
}

TEST(SimulateEvents, WritesWhoPeopleAreThenWhatTheyDo) {
  const Ran ran = run({"simulate", "events", "--events", "2400"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 2400);
  EXPECT_EQ(ran.out.find("{\"type\":\"identify\",\"userId\":\"p0001\""), 0u);
  EXPECT_NE(ran.out.find("\"event\":\"impression\""), std::string::npos);
  EXPECT_NE(ran.out.find("\"event\":\"click\""), std::string::npos);
}

TEST(SimulateCtr, WritesTheFrozenRowsInTheFormsAskedForAndTheLaterOnesToTestOn) {
  const TempFolder folder;
  const std::string out = folder.path("ctr");
  const Ran ran = run({"simulate", "ctr", "--seed", "2", "--rows", "300", "--test-rows", "20",
                       "--formats", "tsv,vw", "--out", out, "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const CtrWorld world(2);
  std::string tsv, truth, later;
  for (std::uint64_t k = 0; k < 320; ++k) {
    if (k < 300) append_criteo(world.row(k), tsv);
    if (k < 300) append_truth(world.row(k), truth);
    if (k >= 300) append_vw(world.row(k), later);
  }
  EXPECT_EQ(content(out + "/train.tsv"), tsv);
  EXPECT_EQ(content(out + "/truth.txt"), truth);
  EXPECT_EQ(content(out + "/test.vw"), later);
  EXPECT_EQ(content(out + "/train.ffm"), "");
  EXPECT_NE(ran.out.find(R"({"ctr":1,"seed":2,"rows":300,"test_rows":20,"files":[)"),
            std::string::npos)
      << ran.out;
  EXPECT_NE(ran.out.find(R"("test_truth":{"n":20,)"), std::string::npos) << ran.out;
}

TEST(Simulate, RefusesWhatItCannotDo) {
  EXPECT_EQ(run({"simulate", "ctr", "--rows", "5"}).code, 2);  // no folder named
  EXPECT_EQ(run({"simulate", "ctr", "--out", "x", "--formats", "csv"}).code, 2);
  EXPECT_EQ(run({"simulate", "ctr", "--rows", "5", "--out", "/proc/none"}).code, 1);
  EXPECT_EQ(run({"simulate", "world", "--json"}).code, 2);
  EXPECT_EQ(run({"simulate", "world", "--rows", "0"}).code, 2);
  EXPECT_EQ(run({"simulate"}).code, 2);
  const Ran ran = run({"simulate", "world", "--rows", "5", "--output", "/no/such/folder/x"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("cannot write /no/such/folder/x"), std::string::npos) << ran.err;
}

TEST(EvalRecommend, ReadsThePublishedSplitAndReportsEveryMethod) {
  const TempFolder folder;
  std::ofstream(folder.path("train.txt")) << "0 1 2\n1 1 2 3\n2 3 4\n";
  std::ofstream(folder.path("test.txt")) << "0 3\n1 4\n";
  const Ran ran = run({"eval", "recommend", "--data", folder.path(""), "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.find(R"({"k":20,"seed":1,"persons":3,"items":4,"train_pairs":7,)"
                         R"("test_pairs":2,"repeated_test_pairs":0,"methods":[)"
                         R"({"method":"random","persons":2,"recall":1,)"),
            0U)
      << ran.out;
  for (const char* name : {"popular", "cosine", "p3"}) {
    EXPECT_NE(ran.out.find(std::string(R"("method":")") + name), std::string::npos) << name;
  }
  const Ran table = run({"eval", "recommend", "--data", folder.path(""), "--methods", "popular"});
  EXPECT_NE(table.out.find("popular "), std::string::npos) << table.out;
  EXPECT_EQ(table.out.find("cosine"), std::string::npos) << table.out;
}

// The same figures, whether the split is read from files or training was imported.
TEST(EvalRecommend, AWorkspaceThatImportedTheTrainingFileSaysTheSame) {
  const TempFolder folder;
  const std::string split = folder.path("split");
  std::filesystem::create_directory(split);
  std::ofstream(split + "/train.txt") << "0 1 2\n1 1 2 3\n2 3 4\n5 1 4\n";
  std::ofstream(split + "/test.txt") << "0 3\n1 4\n9 2\n";
  ASSERT_EQ(run({"import", "gowalla-ngcf", split, "--workspace", folder.workspace()}).code, 0);
  const auto methods_of = [](const Ran& ran) {
    EXPECT_EQ(ran.code, 0) << ran.err;
    const std::string text = ran.out.substr(std::min(ran.out.size(), ran.out.find("\"recall\"")));
    return text.substr(0, text.find("\"cpu_s\""));
  };
  const std::vector<std::string> tail = {"--methods", "p3", "--k", "2", "--json"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"eval", "recommend"});
    words.insert(words.end(), tail.begin(), tail.end());
    return run(words);
  };
  const std::string from_files = methods_of(with({"--data", split}));
  EXPECT_NE(from_files, "");
  EXPECT_EQ(methods_of(with({"--workspace", folder.workspace(), "--test", split + "/test.txt"})),
            from_files);
  const Ran latest = with({"--workspace", folder.workspace()});
  EXPECT_NE(latest.out.find(R"("train_pairs":7,"test_pairs":)"), std::string::npos) << latest.out;
  EXPECT_EQ(with({}).code, 2);
}

TEST(EvalRecommend, SaysWhatIsMissing) {
  const TempFolder folder;
  const Ran none = run({"eval", "recommend", "--data", folder.path("none")});
  EXPECT_EQ(none.code, 1);
  EXPECT_NE(none.err.find("none/train.txt"), std::string::npos) << none.err;
  EXPECT_EQ(run({"eval", "recommend", "--data", "x", "--methods", "best"}).code, 2);
  EXPECT_EQ(run({"eval", "recommend", "--data", "x", "--k", "0"}).code, 2);
  EXPECT_EQ(run({"eval", "recommend"}).code, 2);
  EXPECT_EQ(run({"eval"}).code, 2);
}

TEST(ItemsImport, SaysWhatItDidOnStdoutAndWhatIsWrongOnStderr) {
  const TempFolder folder;
  ASSERT_TRUE(open_engine(folder.workspace())->close().ok());
  std::ofstream(folder.path("i.csv")) << "id,price\na,1\nb,x\n";
  const std::vector<std::string> import = {"items", "import", folder.path("i.csv"), "--workspace",
                                           folder.workspace()};
  const Ran refused = run(import);
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_NE(refused.err.find("line 3, column price: price is \"x\", must be a number"),
            std::string::npos)
      << refused.err;
  std::vector<std::string> skipping = import;
  skipping.emplace_back("--skip-bad-rows");
  EXPECT_EQ(run(skipping).out, "1 item: 1 new, 0 changed, 0 unchanged, 1 bad row left out\n");
  EXPECT_EQ(run(skipping).out, "unchanged: 1 item, 1 bad row left out\n");
  skipping.emplace_back("--json");
  EXPECT_EQ(run(skipping).out.find(R"({"rows":2,"bad_rows":1,"created":0,"changed":0,)"
                                   R"("unchanged":1,"is_dry_run":false,)"),
            0u);
  EXPECT_EQ(run({"items", "import", folder.path("i.csv")}).code, 2);  // no place named
}

TEST(Commands, AMistypedOneIsGuessedAlsoBelowAnother) {
  EXPECT_EQ(run({"itmes", "import"}).err,
            "attune: no command itmes: did you mean items?\n"
            "  attune --help shows how\n");
  EXPECT_EQ(
      run({"items", "imprt", "x"}).err,
      "attune items: no command imprt: did you mean import?\n  attune items --help shows how\n");
  EXPECT_EQ(run({"simulate", "zzz"}).err,
            "attune simulate: no command zzz\n  attune simulate --help shows how\n");
  EXPECT_EQ(run({"items", "imprt"}).code, 2);
}

}  // namespace
}  // namespace attune
