// The checks of attune doctor, by what they look at. Each finding that is not well says what to do.
// One thread.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "api/keys.h"
#include "cli/settings.h"
#include "engine/examine.h"

namespace attune {

std::string megabytes(std::uint64_t bytes);

// doctor_machine.cc
struct ClockPair {
  std::chrono::system_clock::time_point wall;
  std::chrono::steady_clock::time_point steady;
  static ClockPair now() {
    return {std::chrono::system_clock::now(), std::chrono::steady_clock::now()};
  }
};
Finding check_clock(Time now);
void check_clock_steps(const ClockPair& begin, std::vector<Finding>& out);
Finding check_files(const Settings& settings);
Finding check_memory(const Settings& settings);
// place: a workspace, or the folder of several. Writes and removes a small file there.
void check_disk(const Settings& settings, const std::string& place, std::vector<Finding>& out);

// doctor_server.cc
bool is_port_free(const HttpOptions& http);
// "nginx, process 812"; "" when it cannot be told.
std::string holder_of_port(std::uint16_t port);
// Whether a certificate of these names stands for the host: *.x for one label before x.
bool stands_for(const std::vector<std::string>& names, std::string_view host);
void check_certificate(const Settings& settings, Time now, std::vector<Finding>& out);

// doctor_keys.cc
// Of the environment alone: too short, or such as examples have.
void check_environment_keys(std::vector<Finding>& out);
// Those of a stopped workspace against those of the environment.
void check_keys(const ApiKeys& keys, std::vector<Finding>& out);

}  // namespace attune
