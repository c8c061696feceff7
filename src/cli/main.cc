#include "cli/commands.h"

int main(int argc, char** argv) { return attune::run_attune(argc, argv); }
