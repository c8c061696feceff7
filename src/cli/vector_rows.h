// The rows of a .npy file as the vectors of items, named by a file of ids. One thread.
#pragma once
#include <memory>

#include "cli/item_rows.h"

namespace attune {

// ids: text, an item's id a line, as many as `vectors` has rows; blank lines are passed over. A bad
// row is told by its line in the file of ids.
Result<std::unique_ptr<ItemRows>> open_vector_rows(std::unique_ptr<ByteSource> vectors,
                                                   std::unique_ptr<ByteSource> ids, Time now);

}  // namespace attune
