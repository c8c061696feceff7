// The command line of a program: commands, their options and checks. A thin face over CLI11, whose
// headers cost seconds in every file that includes them, under its own names. One thread.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
class Option;
class Validator;
}  // namespace CLI

namespace attune {

// What a value must be; --help and errors say it.
using Check = std::shared_ptr<const CLI::Validator>;

// From low to high, both allowed, and a number of their type: int, std::uint64_t or double.
template <class Number>
Check range(Number low, Number high);
Check one_of(const std::vector<std::string>& words);

// Every call returns the option, for the next one.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  Option* required(bool is_required = true);
  Option* check(const Check& check);
  Option* type_name(const std::string& name);  // "FILE", of its value
  Option* delimiter(char between);             // of the values in one argument
  Option* expected(int exactly);               // values
  Option* expected(int least, int most);
  Option* allow_extra_args(bool is_allowed);     // several values after one --name
  Option* default_str(const std::string& text);  // which help shows
  Option* capture_default_str();                 // the variable's value now

 private:
  CLI::Option* option_;
};

struct GivenOption {
  std::string name;  // without its dashes
  std::vector<std::string> values;
};

// The program, or one of its commands. Options and commands live as long as it does; the variables
// of its options have to live until parse() returns.
class Command {
 public:
  explicit Command(const std::string& description);  // of the program

  // Variable: of the types listed in the .cc: texts, numbers, vectors of them, and of NAME NUMBER.
  template <class Variable>
  Option* add_option(const std::string& name, Variable& variable, const std::string& description);
  Option* add_option_function(const std::string& name,
                              const std::function<void(const std::string&)>& use,
                              const std::string& description);
  Option* add_flag(const std::string& name, bool& variable, const std::string& description);
  Command* add_subcommand(const std::string& name, const std::string& description);

  void require_subcommand(int exactly);
  void require_subcommand(int least, int most);
  void callback(const std::function<void()>& use);  // when it was named and its options are read

  // nullopt: go on. Else the exit code: help, the version or what is wrong has been printed.
  std::optional<int> parse(int argc, const char* const* argv);

  // After parse(), and inside a callback:
  bool parsed() const;                     // whether it was named
  bool has_parsed_subcommand() const;      // whether one of its commands was
  std::vector<GivenOption> given() const;  // those with a name, in the order they were added

  // What it wraps, for those who print it.
  CLI::App& app() const { return *app_; }

 private:
  explicit Command(std::shared_ptr<CLI::App> app) : app_(std::move(app)) {}
  Option* keep(CLI::Option& option);

  std::shared_ptr<CLI::App> app_;
  std::vector<std::unique_ptr<Option>> options_;
  std::vector<std::unique_ptr<Command>> subcommands_;
};

}  // namespace attune
