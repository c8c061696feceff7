// Sensitive attributes: what a model must not judge people by unless its owner says so. A name is
// cut into words ("sexualOrientation", "home_religion"); it is sensitive when the words of a listed
// name stand in it, one after the other. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace attune {

// Lower-case words of a name, parted by one space: "sexualOrientation" -> "sexual orientation".
std::string words_of_name(std::string_view name);

struct Sensitive {
  std::vector<std::string> names;  // as words_of_name gives them, sorted, each once
  std::vector<std::string> allow;  // the same; whole names that may be used all the same

  // The listed name that stands in `name`, "" = none, or it is allowed.
  std::string_view match(std::string_view name) const;
  bool operator==(const Sensitive&) const = default;
};

// What is sensitive wherever nothing else is said: the special categories of European data
// protection law (GDPR, article 9) and gender. Age is not among them.
const std::vector<std::string>& usual_sensitive_names();

}  // namespace attune
