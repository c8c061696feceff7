// For tests of commands: a whole run of `attune` in this process.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/commands.h"

namespace attune {

struct Ran {
  int code = 0;
  std::string out, err;
};

inline Ran run(std::vector<std::string> words) {
  words.insert(words.begin(), "attune");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Ran done;
  done.code = run_attune(static_cast<int>(argv.size()), argv.data());
  done.out = testing::internal::GetCapturedStdout();
  done.err = testing::internal::GetCapturedStderr();
  return done;
}

}  // namespace attune
