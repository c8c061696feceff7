// Importer: a file's rows into a workspace, many at a time: events of one person within a block of
// rows become one sealed record, and a block is one frame of the journal, so that a crash leaves
// whole blocks. One thread calls it; another appends and folds behind it.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/imports.h"
#include "event/decision.h"
#include "event/event.h"
#include "journal/keyring.h"

namespace attune {

struct ImportStart {
  std::string digest, kind, format, source, options;  // as in Import
  bool is_staged = false;                             // beside the journal, until commit_import()
};

class Importer {
 public:
  virtual ~Importer() = default;  // without finish(): what is not on disk yet is lost
  // At the start: what was there already. rows > 0: an earlier run was cut short; the caller leaves
  // so many rows of the file out. is_done: the file is known, and takes nothing more.
  virtual const Import& import() const = 0;
  // What the next row holds, in order. The person is named by the event's user id, else by its
  // anonymous id.
  virtual Status event(const Event& event) = 0;
  virtual Status decision(IdType type, std::string_view person, const Decision& decision) = 0;
  virtual Status control(std::string json) = 0;  // catalog.h
  // The row ends here; a block may.
  virtual Status end_row(bool is_accepted) = 0;
  // Everything on disk, and the file known from here on.
  virtual Result<Import> finish() = 0;
};

}  // namespace attune
