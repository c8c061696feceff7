// The demo as a user runs it: whole runs of `attune start`, small ones.
#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "cli/hit_tally.h"
#include "cli/interrupt.h"
#include "cli/sequences.h"
#include "cli/test_run.h"
#include "engine/test_workspace.h"

namespace attune {
namespace {

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(Sequences, AreReadWithTheirAttributes) {
  const TempFolder folder;
  write(folder.path("Tiny.txt"), "7 10 11 12\n8 11\n9\n\n");
  write(folder.path("Tiny_item2attributes.json"), R"({"11":[5,3,5],"12":[],"99":[1]})");
  const auto read = read_sequences(folder.path(""), "");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->name, "Tiny");
  EXPECT_EQ(read->persons, (std::vector<std::string>{"u7", "u8"}));
  EXPECT_EQ(read->items, (std::vector<std::string>{"i10", "i11", "i12"}));
  EXPECT_EQ(read->tags[1], (std::vector<std::string>{"a5", "a3"}));
  EXPECT_EQ(read->step_count, 4u);
}

TEST(Sequences, MayBeCompressedAndInTheFolderBelow) {
  const TempFolder folder;
  const std::string below = folder.path("amazon-s3rec-sequences");
  std::filesystem::create_directory(below);
  gzFile file = ::gzopen((below + "/Beauty.txt.gz").c_str(), "wb");
  ::gzputs(file, "1 1 2\n");
  ::gzclose(file);
  write(below + "/Another.txt", "1 1\n");
  EXPECT_EQ(read_sequences(folder.path(""), "")->step_count, 2u);  // Beauty, when there is one
  EXPECT_EQ(read_sequences(below, "Another")->step_count, 1u);
}

TEST(Sequences, SayWhatIsWrong) {
  const TempFolder folder;
  const auto message = [&](const std::string& set) {
    const auto read = read_sequences(folder.path(""), set);
    return read.ok() ? "" : read.error().message;
  };
  EXPECT_EQ(message(""), "no sequences in " + folder.path(""));
  write(folder.path("A.txt"), "1 2\n3 x 4\n");
  EXPECT_EQ(message("A"), folder.path("A.txt") + " line 2: \"x\" is not a number");
  EXPECT_EQ(message("B"), "no set B in " + folder.path(""));
  write(folder.path("A.txt"), "\n");
  EXPECT_EQ(message("A"), folder.path("A.txt") + " holds no steps");
}

TEST(Sequences, InterleavingTakesEveryStepOnceTheSameWayForASeed) {
  Sequences sequences;
  sequences.steps = {{0, 1, 2}, {1}, {2, 0}};
  sequences.step_count = 6;
  std::vector<std::uint32_t> order = interleave(sequences, 5);
  EXPECT_EQ(order, interleave(sequences, 5));
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, (std::vector<std::uint32_t>{0, 0, 0, 1, 2, 2}));
}

TEST(HitTally, CountsHitsAndTheirPlaces) {
  HitTally tally(100);
  tally.add(Share::kLearned, 0, 1);
  tally.add(Share::kLearned, 74, 3);
  tally.add(Share::kLearned, 75, 0);
  tally.add(Share::kLearned, 99, 11);  // beyond the slate
  const Hits& all = tally.all(Share::kLearned);
  EXPECT_EQ(all.asked, 4u);
  EXPECT_EQ(all.hits, 2u);
  EXPECT_DOUBLE_EQ(all.ndcg(), (1 + 0.5) / 4);
  EXPECT_NEAR(all.margin(), 1.96 * 0.25, 1e-12);
  EXPECT_EQ(tally.late(Share::kLearned).asked, 2u);
  EXPECT_EQ(tally.all(Share::kRandom).asked, 0u);
}

TEST(Interrupt, NotesCtrlCWhileItLives) {
  {
    const Interrupt interrupt;
    EXPECT_TRUE(Interrupt::check().ok());
    std::raise(SIGINT);
    EXPECT_TRUE(Interrupt::is_asked());
    EXPECT_EQ(Interrupt::check().error().message, "stopped before the end");
  }
  const Interrupt again;
  EXPECT_FALSE(Interrupt::is_asked());
}

double number(const std::string& json, const char* name) {
  simdjson::dom::parser parser;
  double found = -1;
  EXPECT_FALSE(parser.parse(json).at_key(name).get(found)) << name << " in " << json;
  return found;
}

// TMPDIR of this process, until the test ends.
struct Temporary {
  explicit Temporary(const std::string& path) { ::setenv("TMPDIR", path.c_str(), 1); }
  ~Temporary() { ::unsetenv("TMPDIR"); }
};

// Everybody takes items in the order of the numbers, from anywhere: after n comes n + 1.
std::string chains(int persons, int items) {
  std::string text;
  for (int person = 1; person <= persons; ++person) {
    text += std::to_string(person);
    for (int k = 0; k < 8; ++k) text += " " + std::to_string(1 + (person * 7 + k) % items);
    text += "\n";
  }
  return text;
}

TEST(StartWithData, LearnsWhatComesNext) {
  const TempFolder folder;
  const Temporary temporary(folder.path(""));
  std::filesystem::create_directory(folder.path("data"));
  write(folder.path("data/Chains.txt"), chains(600, 150));
  const Ran done = run({"start", "--data", folder.path("data"), "--questions", "800", "--json"});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(number(done.out, "steps"), 4800);
  EXPECT_EQ(number(done.out, "persons"), 600);
  EXPECT_EQ(number(done.out, "items"), 150);
  // The popular ten of 150 items alike hit one time in fifteen; what follows is among few.
  EXPECT_GT(number(done.out, "learned_hit_rate_at_10"), 0.5);
  EXPECT_LT(number(done.out, "popularity_hit_rate_at_10"), 0.3);
  EXPECT_NE(done.err.find("There is no oracle here"), std::string::npos);
  EXPECT_NE(done.err.find("the times are made up"), std::string::npos);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path("")), {}), 1)
      << "the temporary workspace is gone";
}

TEST(StartWithData, RealSequences) {
  const char* root = std::getenv("ATTUNE_DATA");
  const std::string data = root ? root : "../shared/data";
  if (!std::filesystem::exists(data + "/amazon-s3rec-sequences/LastFM.txt.gz")) {
    GTEST_SKIP() << "no amazon-s3rec-sequences in " << data
                 << " (set ATTUNE_DATA): the demo on real sequences is not tested";
  }
  const TempFolder folder;
  const Temporary temporary(folder.path(""));
  const Ran done = run(
      {"start", "--data", data, "--set", "LastFM", "--questions", "1500", "--seed", "2", "--json"});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(number(done.out, "steps"), 52551);
  EXPECT_EQ(number(done.out, "persons"), 1090);
  EXPECT_EQ(number(done.out, "items"), 3646);
  EXPECT_GT(number(done.out, "learned_hit_rate_at_10") -
                number(done.out, "learned_hit_rate_at_10_margin"),
            number(done.out, "popularity_hit_rate_at_10"));
}

TEST(Start, PlaysAndReports) {
  const TempFolder folder;
  const Temporary temporary(folder.path(""));
  const Ran done = run({"start", "--impressions", "2000", "--json"});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_GE(number(done.out, "impressions"), 2000);
  EXPECT_GT(number(done.out, "oracle_click_rate"), number(done.out, "random_click_rate"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path("")));
}

TEST(Start, SaysThatThereIsNoPlaceForItsFolder) {
  const TempFolder folder;
  const Temporary temporary(folder.path("none"));
  const Ran done = run({"start"});
  EXPECT_EQ(done.code, 1);
  EXPECT_NE(done.err.find("cannot make a temporary folder in " + folder.path("none")),
            std::string::npos)
      << done.err;
}

TEST(Start, DoesNotPlayInAWorkspaceThatIsThere) {
  const TempFolder folder;
  std::filesystem::create_directories(folder.path("w/journal"));
  const Ran done = run({"start", "--workspace", folder.path("w")});
  EXPECT_EQ(done.code, 2);
  EXPECT_NE(done.err.find("there is a workspace at"), std::string::npos);
}

// What the child wrote until it said `word`, or to its end.
std::string read_until(int pipe, const std::string& word) {
  std::string text;
  char c = 0;
  while (text.find(word) == std::string::npos && ::read(pipe, &c, 1) == 1) text.push_back(c);
  return text;
}

TEST(Start, CtrlCLeavesNothingBehind) {
  const TempFolder folder;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::setenv("TMPDIR", folder.path("").c_str(), 1);
    char attune[] = "attune", start[] = "start", many[] = "--impressions", count[] = "10000000";
    char* argv[] = {attune, start, many, count};
    ::_exit(run_attune(4, argv));
  }
  ::close(ends[1]);
  EXPECT_NE(read_until(ends[0], "First decision").find("First decision"), std::string::npos);
  EXPECT_FALSE(std::filesystem::is_empty(folder.path("")));
  ::kill(child, SIGINT);
  const std::string rest = read_until(ends[0], "never said");
  ::close(ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_NE(rest.find("attune: stopped before the end"), std::string::npos) << rest;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path("")));
}

}  // namespace
}  // namespace attune
