// Observe: all events and decisions of a workspace, in the order of its journal, for reports. Reads
// files alone: the workspace may be stopped or in use, and nothing changes.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "event/decision.h"
#include "event/event.h"

namespace attune {

struct SeenEvent {
  const Event& event;
  Time received{};           // of an imported event: when it was imported
  Surrogate person{};        // the identity; never to be shown
  bool is_imported = false;  // from a file
  Clock clock{};             // of the workspace at that time
};

struct Observer {  // either may be null
  std::function<void(const SeenEvent& seen)> event;
  std::function<void(const Decision& decision)> decision;
  std::uint64_t most = 0;  // the first so many events and decisions; 0 = all
};

struct Observed {
  std::uint64_t events = 0, decisions = 0;
  std::uint64_t erased = 0;  // records whose person was erased: nobody can read them
};

// kNotFound without a journal there. O(journal).
Result<Observed> observe(const std::string& workspace, const Observer& observer);

// The catalog as of the end of the journal on disk, by the same means.
Result<Catalog> observe_catalog(const std::string& workspace);

}  // namespace attune
