// The two kinds of TableReader, made by TableReader::open once the format is known.
#pragma once
#include <memory>

#include "format/table.h"
#include "format/text_window.h"

namespace attune {

Result<std::unique_ptr<TableReader>> open_delimited(TextWindow window, const TableOptions& options);
Result<std::unique_ptr<TableReader>> open_jsonl(TextWindow window, const TableOptions& options);

}  // namespace attune
