#include "base/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>

#include "base/file.h"

extern char** environ;

namespace attune {
namespace {

constexpr int kPollMs = 100;  // between two looks at `stop`
constexpr std::size_t kErrKept = 4096;
constexpr auto kGrace = std::chrono::seconds(2);  // from SIGTERM to SIGKILL

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Error{Code::kUnavailable, "cannot make a pipe: too many open files"};
  }
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// With its output in the pipes, no input and no signal blocked.
Result<pid_t> start(const std::vector<std::string>& arguments, const Pipe& out, const Pipe& err) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int fault = ::posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (fault == 0) return pid;
  return Error{Code::kUnavailable, fmt::format("cannot start {}: {}", arguments[0],
                                               std::generic_category().message(fault))};
}

// Reads what is there; false at the end.
bool drain(int fd, std::string& text) {
  std::array<char, 4096> block;
  const ssize_t n = ::read(fd, block.data(), block.size());
  if (n > 0) text.append(block.data(), static_cast<std::size_t>(n));
  return n > 0;
}

void cut_front(std::string& text, std::size_t most) {
  if (text.size() > 2 * most) text.erase(0, text.size() - most);
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

Result<ChildDone> run_child(const std::vector<std::string>& arguments, const std::stop_token& stop,
                            std::size_t most_out) {
  TRY(Pipe out, make_pipe());
  TRY(Pipe err, make_pipe());
  TRY(const pid_t pid, start(arguments, out, err));
  out.write = Fd();
  err.write = Fd();
  ChildDone done;
  std::array<pollfd, 2> ends = {pollfd{out.read.get(), POLLIN, 0},
                                pollfd{err.read.get(), POLLIN, 0}};
  bool is_asked = false;
  std::chrono::steady_clock::time_point asked;
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    ::poll(ends.data(), ends.size(), kPollMs);
    if (ends[0].revents != 0 && !drain(ends[0].fd, done.out)) ends[0].fd = -1;
    if (ends[1].revents != 0 && !drain(ends[1].fd, done.err)) ends[1].fd = -1;
    if (done.out.size() > most_out) done.out.resize(most_out);
    cut_front(done.err, kErrKept);
    const auto now = std::chrono::steady_clock::now();
    if (stop.stop_requested() && !std::exchange(is_asked, true)) {
      asked = now;
      ::kill(pid, SIGTERM);
    }
    if (is_asked && now - asked > kGrace) ::kill(pid, SIGKILL);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  done.code = code_of(status);
  if (done.err.size() > kErrKept) done.err.erase(0, done.err.size() - kErrKept);
  return done;
}

Result<std::string> own_program() {
  std::error_code fault;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", fault);
  if (!fault) return path.string();
  return Error{Code::kUnavailable, "cannot tell which program this is: /proc is not there"};
}

}  // namespace attune
