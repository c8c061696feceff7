#include "cli/joint_flags.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/command_line.h"

namespace attune {

void add_joint_flags(Command& command, JointFlags& flags) {
  command
      .add_option(
          "--also", flags.also,
          "columns to predict too, each a yes or no, or verbs of a workspace, with the "
          "target by one model (fwfm, wide_deep, deepfm, dcnv2, finalmlp, din, gru, sasrec)")
      ->delimiter(',');
  command.add_option("--weight-of", flags.weights,
                     "with --also: TARGET=NUMBER, how much its loss counts; 1 unless said");
  command.add_option("--second-loss", flags.second_loss,
                     "NAME=NUMBER, added to the loss with this weight: pairs (of two rows of a "
                     "mini-batch the one with the label ranks above the other)");
  command.add_flag("--compare-alone", flags.compare_alone,
                   "with --also: each beside a model of the kind that learns it alone; takes as "
                   "long again for each");
}

Result<std::pair<std::string, double>> named_number(const std::string& text, const char* option,
                                                    const char* example) {
  const auto sign = text.rfind('=');
  double value = 0;
  if (sign != std::string::npos && sign > 0) {
    const char* end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data() + sign + 1, end, value);
    if (fault == std::errc() && stop == end && std::isfinite(value)) {
      return std::pair(text.substr(0, sign), value);
    }
  }
  return Error{Code::kInvalid, fmt::format("--{} {}: must be NAME=NUMBER", option, text), option,
               fmt::format("for example --{} {}", option, example)};
}

Result<FurtherTargetOptions> also_of(const JointFlags& flags) {
  FurtherTargetOptions options{flags.also};
  for (const std::string& text : flags.weights) {
    TRY(auto one, named_number(text, "weight-of", "purchase=3"));
    options.weights.push_back(std::move(one));
  }
  if (options.names.empty() && (!options.weights.empty() || flags.compare_alone)) {
    return Error{Code::kInvalid, "--weight-of and --compare-alone need --also", "also",
                 "attune train shop.csv --target click --also like,purchase"};
  }
  return options;
}

Result<SecondLossOptions> second_loss_of(const JointFlags& flags) {
  if (flags.second_loss.empty()) return SecondLossOptions{};
  TRY(auto one, named_number(flags.second_loss, "second-loss", "pairs=0.1"));
  return SecondLossOptions{std::move(one.first), one.second};
}

}  // namespace attune
