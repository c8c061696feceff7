#include "base/child.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace attune {
namespace {

Result<ChildDone> shell(const std::string& script, const std::stop_token& stop = {}) {
  return run_child({"/bin/sh", "-c", script}, stop);
}

TEST(Child, GivesWhatItPrintedAndItsCode) {
  const auto done = shell("echo out; echo err >&2; exit 3");
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->code, 3);
  EXPECT_EQ(done->out, "out\n");
  EXPECT_EQ(done->err, "err\n");
}

TEST(Child, KeepsTheFirstOfItsOutputAndTheLastOfItsErrors) {
  const auto done = run_child({"/bin/sh", "-c",
                               "i=0; while [ $i -lt 3000 ]; do echo line$i; echo line$i >&2; "
                               "i=$((i+1)); done"},
                              {}, 100);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->out.size(), 100u);
  EXPECT_TRUE(done->out.starts_with("line0\n"));
  EXPECT_LE(done->err.size(), 4096u);
  EXPECT_TRUE(done->err.ends_with("line2999\n"));
}

TEST(Child, IsEndedWhenAsked) {
  std::stop_source source;
  const std::jthread asks([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    source.request_stop();
  });
  const auto done = shell("exec sleep 60", source.get_token());
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->code, 128 + 15);
}

TEST(Child, ThatIsNotThereIsAnError) {
  const auto done = run_child({"/nowhere/attune"}, {});
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().message.find("cannot start /nowhere/attune"), std::string::npos);
}

}  // namespace
}  // namespace attune
