// ItemStore: where items are imported to: a stopped workspace, or a server through its HTTP API.
// One thread.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/item_rows.h"

namespace attune {

struct BatchSize {
  std::size_t items = 0, bytes = 0;
};

class ItemStore {
 public:
  static Result<std::unique_ptr<ItemStore>> of_workspace(const std::string& folder);
  // url: http://HOST:PORT
  static Result<std::unique_ptr<ItemStore>> of_server(const std::string& url, std::string key);
  virtual ~ItemStore() = default;
  virtual BatchSize batch_size() const = 0;  // most to put at once
  // The stored JSON of each, minified; "" = none.
  virtual Result<std::vector<std::string>> known(std::span<const ItemRow> rows) = 0;
  // Items as JSON. All are stored, or none.
  virtual Status put(std::span<const std::string> items) = 0;
  virtual Status close() = 0;
};

}  // namespace attune
