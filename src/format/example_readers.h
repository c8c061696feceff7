// The kinds of ExampleReader, made by ExampleReader::open.
#pragma once
#include <memory>

#include "format/example_reader.h"
#include "format/text_window.h"

namespace attune {

std::unique_ptr<ExampleReader> open_criteo(TextWindow window, ExampleOptions options);
std::unique_ptr<ExampleReader> open_vw(TextWindow window, ExampleOptions options);
std::unique_ptr<ExampleReader> open_libsvm(TextWindow window, ExampleOptions options);
std::unique_ptr<ExampleReader> open_libffm(TextWindow window, ExampleOptions options);

}  // namespace attune
