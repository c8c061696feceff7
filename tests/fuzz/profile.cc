#include "profile/profile.h"

#include "fuzz.h"
#include "profile/graph.h"
#include "profile/profile_json.h"

namespace attune {
namespace {

void fuzz_profile(std::string_view input) {
  Profile profile;
  if (!Profile::decode(input, profile).ok()) return;
  (void)profile_json(profile, Time{});
  std::string once, twice;
  profile.encode(once);
  Profile back;
  CHECK(Profile::decode(once, back).ok());
  back.encode(twice);
  CHECK(once == twice);
}

void fuzz_graph(std::string_view input) {
  const auto graph = IdentityGraph::decode(input);
  if (!graph.ok()) return;
  std::string once;
  graph->encode(once);
  CHECK(IdentityGraph::decode(once).ok());
}

}  // namespace

// The first byte chooses: a stored profile, or the links between identities.
void fuzz_one(std::string_view input) {
  if (input.empty()) return;
  input[0] == 'g' ? fuzz_graph(input.substr(1)) : fuzz_profile(input.substr(1));
}

}  // namespace attune
