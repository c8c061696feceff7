// Reading a directory of log files. One thread a cursor; the files may grow meanwhile.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "journal/journal.h"

namespace attune {

// The records from..last of the files, which are named by their first positions, ascending.
std::unique_ptr<JournalCursor> make_cursor(std::string directory, std::vector<Position> files,
                                           Position from, Position last);

// First position of the last frame whose base is before `time`, or of the first frame: no record
// received at or after `time` is in an earlier one. Reads headers only.
Result<Position> position_at_time(const std::string& directory, std::span<const Position> files,
                                  Position last, Time time);

}  // namespace attune
