// A file as what happened: events, decisions and items, for an import. Each format is a file of its
// own behind this one interface (event_formats.h lists them). One thread.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/decision.h"
#include "event/event.h"
#include "format/bytes.h"
#include "format/table.h"

namespace attune {

// Takes what a row says. An event or decision without a person is of an anonymous one.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual Status event(const Event& event) = 0;
  virtual Status decision(std::string_view anonymous_id, const Decision& decision) = 0;
  virtual Status item(std::string json) = 0;  // an item of the items API
};

class EventReader {
 public:
  enum class Next { kRow, kBad, kEnd };
  virtual ~EventReader() = default;
  // Hands what the next row says to the sink; a bad row gives it nothing. An error is of the file
  // as a whole, or the sink's.
  virtual Result<Next> next(EventSink& sink) = 0;
  virtual const BadRow& bad() const = 0;
  // The row that was bad, as far as it can be shown; valid until the next call.
  virtual std::string_view bad_text() const = 0;
  // What was guessed or decided, a sentence each. Known when the reader is open.
  virtual const std::vector<std::string>& notes() const = 0;
  virtual std::uint64_t rows_without_person() const { return 0; }
  virtual const ByteSource& bytes() const = 0;  // of the file being read
};

}  // namespace attune
