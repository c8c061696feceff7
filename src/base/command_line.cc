#include "base/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdint>

namespace attune {

template <class Number>
Check range(Number low, Number high) {
  return std::make_shared<const CLI::Range>(low, high);
}
template Check range(int, int);
template Check range(std::uint64_t, std::uint64_t);
template Check range(double, double);

Check one_of(const std::vector<std::string>& words) {
  return std::make_shared<const CLI::IsMember>(words);
}

Option* Option::required(bool is_required) {
  option_->required(is_required);
  return this;
}

Option* Option::check(const Check& check) {
  option_->check(*check);
  return this;
}

Option* Option::type_name(const std::string& name) {
  option_->type_name(name);
  return this;
}

Option* Option::delimiter(char between) {
  option_->delimiter(between);
  return this;
}

Option* Option::expected(int exactly) {
  option_->expected(exactly);
  return this;
}

Option* Option::expected(int least, int most) {
  option_->expected(least, most);
  return this;
}

Option* Option::allow_extra_args(bool is_allowed) {
  option_->allow_extra_args(is_allowed);
  return this;
}

Option* Option::default_str(const std::string& text) {
  option_->default_str(text);
  return this;
}

Option* Option::capture_default_str() {
  option_->capture_default_str();
  return this;
}

Command::Command(const std::string& description) : app_(std::make_shared<CLI::App>(description)) {}

template <class Variable>
Option* Command::add_option(const std::string& name, Variable& variable,
                            const std::string& description) {
  return keep(*app_->add_option(name, variable, description));
}
template Option* Command::add_option(const std::string&, std::string&, const std::string&);
template Option* Command::add_option(const std::string&, int&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint16_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint32_t&, const std::string&);
template Option* Command::add_option(const std::string&, std::uint64_t&, const std::string&);
template Option* Command::add_option(const std::string&, double&, const std::string&);
template Option* Command::add_option(const std::string&, std::vector<std::string>&,
                                     const std::string&);
template Option* Command::add_option(const std::string&, std::vector<int>&, const std::string&);
template Option* Command::add_option(const std::string&, std::vector<std::uint64_t>&,
                                     const std::string&);
template Option* Command::add_option(const std::string&,
                                     std::vector<std::pair<std::string, double>>&,
                                     const std::string&);

Option* Command::add_option_function(const std::string& name,
                                     const std::function<void(const std::string&)>& use,
                                     const std::string& description) {
  return keep(*app_->add_option_function<std::string>(name, use, description));
}

Option* Command::add_flag(const std::string& name, bool& variable, const std::string& description) {
  return keep(*app_->add_flag(name, variable, description));
}

Command* Command::add_subcommand(const std::string& name, const std::string& description) {
  CLI::App* app = app_->add_subcommand(name, description);
  subcommands_.emplace_back(new Command(app_->get_subcommand_ptr(app)));
  return subcommands_.back().get();
}

void Command::require_subcommand(int exactly) { app_->require_subcommand(exactly); }

void Command::require_subcommand(int least, int most) {
  app_->require_subcommand(static_cast<std::size_t>(least), static_cast<std::size_t>(most));
}

void Command::callback(const std::function<void()>& use) { app_->callback(use); }

std::optional<int> Command::parse(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& said) {  // --help and --version too
    return app_->exit(said);
  }
  return std::nullopt;
}

bool Command::parsed() const { return app_->parsed(); }

bool Command::has_parsed_subcommand() const { return !app_->get_subcommands().empty(); }

std::vector<GivenOption> Command::given() const {
  std::vector<GivenOption> out;
  for (const CLI::Option* option : std::as_const(*app_).get_options()) {
    if (option->count() == 0 || option->get_positional()) continue;
    out.push_back({option->get_single_name(), option->results()});
  }
  return out;
}

Option* Command::keep(CLI::Option& option) {
  options_.push_back(std::make_unique<Option>(option));
  return options_.back().get();
}

}  // namespace attune
