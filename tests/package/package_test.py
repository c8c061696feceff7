#!/usr/bin/env python3
"""package_test.py BINARY: builds the Debian package around it, unpacks it and looks at what it does."""
import configparser
import gzip
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest

BINARY = ""
HOUSE = pathlib.Path(__file__).parents[2]


def run(*command, **more):
    return subprocess.run([str(c) for c in command], check=True, text=True, capture_output=True, **more)


# A tmpfs over all of this machine, in a mount namespace of its own.
COPY = """set -e
mount -t tmpfs attune "$1"
mkdir "$1/upper" "$1/work" "$1/copy"
mount -t overlay attune -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/copy"
mount --rbind /dev "$1/copy/dev"
mount -t proc proc "$1/copy/proc"
mkdir "$1/copy/given"
mount --bind "$2" "$1/copy/given"
exec chroot "$1/copy" sh -ec "$3"
"""


def in_a_copy(commands, given):
    """What the commands print as root of a copy of this machine, where the folder is /given."""
    with tempfile.TemporaryDirectory(prefix="attune-copy-") as place:
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", COPY, "sh", place,
                               str(given), commands], text=True, capture_output=True, cwd="/")
        if done.returncode != 0:
            raise RuntimeError(f"exit {done.returncode} of{commands}\n{done.stdout}{done.stderr}")
        return done.stdout


def can_copy_the_machine():
    try:
        return os.geteuid() == 0 and in_a_copy("echo yes", "/tmp") == "yes\n"
    except (OSError, RuntimeError):
        return False


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="attune-package-"))
        cls.said = run(HOUSE / "tools/package", BINARY, cls.folder).stdout
        (cls.package,) = cls.folder.glob("attune_*_amd64.deb")
        cls.root = cls.folder / "root"
        run("dpkg-deb", "-x", cls.package, cls.root)
        run("dpkg-deb", "-e", cls.package, cls.folder / "control")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def field(self, name):
        return run("dpkg-deb", "-f", self.package, name).stdout.strip()

    def test_the_binary_runs_from_it_and_is_stripped(self):
        binary = self.root / "usr/bin/attune"
        self.assertIn(self.field("Version"), run(binary, "--version").stdout)
        self.assertNotIn(".symtab", run("readelf", "-S", "--wide", binary).stdout)

    def test_says_which_libraries_it_needs(self):
        depends = self.field("Depends")
        for library in ("libc6", "libssl3", "libsqlite3-0", "libsodium23"):
            self.assertIn(library, depends)
            self.assertIn(library, self.said)
        self.assertIn("tzdata", depends)

    def test_its_settings_are_valid_and_kept_by_an_upgrade(self):
        settings = self.root / "etc/attune/attune.toml"
        run(self.root / "usr/bin/attune", "config", "check", settings)
        self.assertEqual((self.folder / "control/conffiles").read_text(), "/etc/attune/attune.toml\n")

    # The unit ends the process beyond the limit of the settings and some: never before it.
    def test_the_unit_fits_the_settings(self):
        unit = configparser.RawConfigParser(strict=False)
        unit.optionxform = str
        unit.read(self.root / "lib/systemd/system/attune.service")
        service = unit["Service"]
        printed = run(self.root / "usr/bin/attune", "config", "print", "--config",
                      self.root / "etc/attune/attune.toml").stdout
        values = tomllib.loads(printed)
        limit = values["workspace"]["memory_bytes"] * 5 // 4 + values["training"]["memory_bytes"]
        self.assertEqual(int(service["MemoryMax"].removesuffix("M")) << 20, limit)
        self.assertGreater(int(service["LimitNOFILE"]), values["server"]["max_connections"] + 256)
        self.assertGreater(int(service["TimeoutStopSec"]), values["server"]["drain_s"])
        self.assertEqual((service["ProtectSystem"], service["NoNewPrivileges"]), ("strict", "yes"))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is absent")
    def test_systemd_understands_the_unit(self):
        done = subprocess.run(["systemd-analyze", "verify", "--man=no",
                               self.root / "lib/systemd/system/attune.service"],
                              text=True, capture_output=True)
        # A machine without this service has not its files either.
        absent = ("is not executable", "not found", "Failed to create")
        faults = [line for line in done.stderr.splitlines()
                  if "attune" in line and not any(word in line for word in absent)]
        self.assertEqual(faults, [])

    def test_has_a_manual_page_of_every_command(self):
        page = gzip.decompress((self.root / "usr/share/man/man1/attune.1.gz").read_bytes()).decode()
        for heading in (".SH NAME", ".SH ATTUNE SERVE", ".SH ATTUNE DOCTOR", "\\-\\-tls\\-cert"):
            self.assertIn(heading, page)
        self.assertIn("Apache License", (self.root / "usr/share/doc/attune/copyright").read_text())

    # Its steps are recorded instead of done.
    def test_the_first_installation_makes_a_user_and_says_the_first_steps(self):
        tools = self.folder / "tools"
        tools.mkdir()
        log = self.folder / "log"
        for name, code in (("getent", 2), ("useradd", 0), ("install", 0), ("systemctl", 0)):
            (tools / name).write_text(f'#!/bin/sh\necho {name} "$@" >>{log}\nexit {code}\n')
            (tools / name).chmod(0o755)
        said = run("sh", self.folder / "control/postinst", "configure",
                   env={"PATH": f"{tools}:{os.environ['PATH']}"}).stdout
        self.assertIn("attune workspace create shop --workspaces /var/lib/attune", said)
        self.assertIn("useradd --system", log.read_text())
        said = run("sh", self.folder / "control/postinst", "configure", "0.0.9",
                   env={"PATH": f"{tools}:{os.environ['PATH']}"}).stdout
        self.assertEqual(said, "")
        for script in ("preinst", "prerm", "postrm"):
            run("sh", "-n", self.folder / "control" / script)

    # In a copy of this machine that goes with the test: nothing here changes.
    @unittest.skipUnless(can_copy_the_machine(), "needs root and overlay file systems")
    def test_dpkg_installs_runs_and_removes_it(self):
        package = self.folder.resolve() / self.package.name
        said = in_a_copy(f"""
            dpkg --force-depends -i /given/{package.name}
            attune --version
            id -un attune
            stat -c '%U %a' /var/lib/attune
            runuser -u attune -- attune workspace create shop --workspaces /var/lib/attune >/dev/null
            runuser -u attune -- attune doctor --workspace /var/lib/attune/shop | grep -w opens
            systemd-analyze verify --man=no /lib/systemd/system/attune.service 2>&1 | grep attune || true
            echo changed >>/etc/attune/attune.toml
            dpkg -r attune
            tail -1 /etc/attune/attune.toml
            ls /usr/bin/attune 2>&1 || true
            ls /var/lib/attune
            dpkg -P attune
            ls /etc/attune 2>&1 || true
            ls /var/lib/attune""", package.parent)
        lines = said.splitlines()
        at = lines.index(run(BINARY, "--version").stdout.strip())
        self.assertEqual(lines[at + 1], "attune")
        self.assertRegex(lines[at + 2], r"^attune 7[05]0$")
        self.assertIn("identities", lines[at + 3])
        self.assertNotIn("attune.service:", said)  # no fault of the unit
        self.assertIn("changed\nls: cannot access '/usr/bin/attune'", said)  # settings stay, the binary goes
        self.assertEqual(lines.count("shop"), 2)  # workspaces stay, also when purged
        self.assertIn("ls: cannot access '/etc/attune'", said)

    def test_the_same_binary_gives_the_same_package(self):
        again = self.folder / "again"
        run(HOUSE / "tools/package", BINARY, again)
        self.assertEqual((again / self.package.name).read_bytes(), self.package.read_bytes())


if __name__ == "__main__":
    BINARY = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
