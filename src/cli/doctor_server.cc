// attune doctor: the server's port and certificate.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/doctor.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

// Inode of the socket that listens on this port, as /proc/net/tcp has it; "" = none.
std::string listener_inode(const char* table, std::uint16_t port) {
  constexpr std::string_view kListening = "0A";
  const std::string wanted = fmt::format(":{:04X}", port);
  std::string line;
  for (std::ifstream in(table); std::getline(in, line);) {
    std::istringstream words(line);
    std::string word[10];
    for (std::string& w : word) words >> w;
    if (word[1].ends_with(wanted) && word[3] == kListening) return word[9];
  }
  return {};
}

bool holds(const fs::path& process, const std::string& socket) {
  std::error_code error;
  for (auto it = fs::directory_iterator(process / "fd", error);
       !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code unreadable;
    if (fs::read_symlink(it->path(), unreadable) == socket) return true;
  }
  return false;
}

// "[::1]:8090" -> "::1"
std::string listen_host(const std::string& listen) {
  std::string host = listen.substr(0, listen.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

// All addresses of the machine: which name clients use is not known.
bool is_any_address(const std::string& host) {
  return host.empty() || host == "*" || host == "0.0.0.0" || host == "::";
}

}  // namespace

bool is_port_free(const HttpOptions& http) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(http.port);
  ::inet_pton(AF_INET, http.host.c_str(), &address.sin_addr);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address);
  const bool is_free = bound == 0 || errno != EADDRINUSE;
  ::close(socket);
  return is_free;
}

std::string holder_of_port(std::uint16_t port) {
  std::string inode = listener_inode("/proc/net/tcp", port);
  if (inode.empty()) inode = listener_inode("/proc/net/tcp6", port);
  if (inode.empty()) return {};
  const std::string socket = "socket:[" + inode + "]";
  std::error_code error;
  for (auto it = fs::directory_iterator("/proc", error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    const std::string id = it->path().filename().string();
    if (id.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!holds(it->path(), socket)) continue;
    std::string name;
    std::ifstream(it->path() / "comm") >> name;
    return fmt::format("{}, process {}", name, id);
  }
  return {};
}

bool stands_for(const std::vector<std::string>& names, std::string_view host) {
  const auto lower = [](std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
  };
  const std::string wanted = lower(host);
  const std::size_t dot = wanted.find('.');
  const std::string any = dot == std::string::npos ? "" : "*" + wanted.substr(dot);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const std::string known = lower(name);
    return known == wanted || (!any.empty() && known == any);
  });
}

void check_certificate(const Settings& settings, Time now, std::vector<Finding>& out) {
  constexpr auto kSoon = std::chrono::hours(24 * 14);
  const auto tls = load_tls(settings.http, now);
  if (!tls.ok()) {
    out.push_back({Health::kFail, "certificate", tls.error().message, tls.error().hint});
    return;
  }
  if (*tls == nullptr) {
    const bool is_open = !settings.http.listen.starts_with("127.") &&
                         !settings.http.listen.starts_with("localhost") &&
                         !settings.http.listen.starts_with("[::1]");
    if (is_open) {
      out.push_back({Health::kWarn, "certificate",
                     "keys and events cross the network in the clear: no certificate is set",
                     "--tls-cert FILE --tls-key FILE, or a proxy that speaks https in front"});
    }
    return;
  }
  const CertificateFacts facts = (*tls)->facts();
  const std::string says = fmt::format("holds until {} for {}", format_iso8601(facts.ends),
                                       fmt::join(facts.names, ", "));
  const bool is_ending = facts.ends < now + kSoon;
  out.push_back({is_ending ? Health::kWarn : Health::kOk, "certificate", says,
                 "renew it: the server takes the new file up by itself"});
  if (facts.names.empty()) {
    out.push_back({Health::kWarn, "certificate", "it names no host: clients will refuse it",
                   "get one with the server's names (subjectAltName)"});
  }
  const std::string host = listen_host(settings.http.listen);
  if (!facts.names.empty() && !is_any_address(host) && !stands_for(facts.names, host)) {
    out.push_back({Health::kWarn, "certificate",
                   fmt::format("it does not stand for {}, where the server listens", host),
                   fmt::format("clients must reach the server as {}; else get one that names {}",
                               fmt::join(facts.names, " or "), host)});
  }
  if (facts.is_self_signed) {
    out.push_back({Health::kWarn, "certificate", "it is signed by itself: nobody trusts it unasked",
                   "get one from an authority, or give clients the file to trust"});
  }
  std::error_code error;
  const auto mode = fs::status(settings.http.tls.key, error).permissions();
  if (!error && (mode & fs::perms::others_all) != fs::perms::none) {
    out.push_back({Health::kFail, "certificate",
                   settings.http.tls.key + ": everybody on this machine may read the key",
                   "chmod 640 " + settings.http.tls.key});
  }
}

}  // namespace attune
