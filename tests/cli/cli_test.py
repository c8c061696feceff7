"""The binary as an operator meets it. cli_test.py BINARY [TestClass]"""
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BINARY = ""
KEYS = {"ATTUNE_WRITE_KEY": "w", "ATTUNE_API_KEY": "r", "ATTUNE_ADMIN_KEY": "a"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="attune-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_attune(self, *arguments, **environment):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("ATTUNE")}
        return subprocess.run([BINARY, *arguments], cwd=self.folder, env={**clean, **environment},
                              capture_output=True, text=True, timeout=120)

    def fails(self, code, *arguments, says, hint="", **environment):
        done = self.run_attune(*arguments, **environment)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(says, done.stderr)
        self.assertIn(hint, done.stderr)
        return done

    def start(self, *arguments, **environment):
        """A server on a free port; its port. It ends with the test."""
        port = free_port()
        clean = {k: v for k, v in os.environ.items() if not k.startswith("ATTUNE")}
        server = subprocess.Popen(
            [BINARY, "serve", "--workspace", "shop", "--listen", f"127.0.0.1:{port}", *arguments],
            cwd=self.folder, env={**clean, **KEYS, **environment}, stderr=subprocess.PIPE, text=True)
        self.addCleanup(server.stderr.close)
        self.addCleanup(lambda: self.stop(server))
        self.said = []
        for line in server.stderr:
            self.said.append(line)
            if "attune: serving" in line:
                return server, port
        self.fail("the server did not start:\n" + "".join(self.said))

    def wait_for(self, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what():
                return
            time.sleep(0.1)
        self.fail("waited in vain; the server said:\n" + "".join(self.said))

    def stop(self, server):
        if server.poll() is None:
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(60), 0)

    def call(self, port, method, path, body=None, key="a"):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method,
                                         data=body and body.encode(), headers={"X-API-Key": key})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def make_workspace(self, *arguments):
        server, port = self.start(*arguments)
        self.call(port, "POST", "/v1/track",
                  '{"userId":"ann","event":"Product Viewed","properties":{"product_id":"p1"}}')
        self.stop(server)
        return self.folder / "shop"

    def log_file(self):
        return sorted((self.folder / "shop/journal").glob("*.log"))[-1]


class CommandLine(Case):
    def commands(self):
        text = self.run_attune("reference").stdout
        return [line[len("## attune "):].split() for line in text.splitlines()
                if line.startswith("## attune ")]

    def test_every_help_begins_with_examples_that_name_the_command(self):
        self.assertGreater(len(self.commands()), 5)
        for command in [[], *self.commands()]:
            help_text = self.run_attune(*command, "--help").stdout
            lines = help_text.splitlines()
            self.assertEqual(lines[0], "Examples:", command)
            self.assertIn(" ".join(["attune", *command]), lines[1])

    def test_every_option_in_an_example_exists(self):
        for command in self.commands():
            help_text = self.run_attune(*command, "--help").stdout
            examples, rest = help_text.split("\n\n", 1)
            for option in re.findall(r"(?<= )--[a-z-]+", examples):
                if len(command) > 1 or "\nCommands:" not in rest:
                    self.assertIn(option, rest, command)

    def test_a_mistyped_word_names_the_one_meant(self):
        for typed, meant in [(["srve"], "serve"), (["config", "chek"], "check"),
                             (["serve", "--worksapce", "x"], "--workspace"),
                             (["explain", "--jsn", "d_1"], "--json")]:
            self.fails(2, *typed, says=f"did you mean {meant}?", hint="--help shows how")

    def test_misuse_is_2_and_says_what_is_missing(self):
        self.fails(2, says="attune: name a command")
        self.fails(2, "explain", says="explain: name a decision, or a model with --model")
        self.fails(2, "serve", "--memory", says="--memory")
        self.fails(2, "frobnicate", says="attune: no command frobnicate")

    def test_success_is_0_and_failure_1(self):
        version = self.run_attune("--version")
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, r"^attune \d+\.\d+\.\d+\n$")
        self.fails(1, "explain", "--workspace", "nowhere", "d_1", says="no workspace at nowhere",
                   hint="--workspace")

    def talk_on_a_terminal(self, **environment):
        ours, theirs = pty.openpty()
        done = subprocess.Popen([BINARY, "start", "--impressions", "1000"], cwd=self.folder,
                                env={**os.environ, "TERM": "xterm", **environment},
                                stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 65536):
                said += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        self.assertEqual(done.wait(60), 0)
        return said

    def test_no_color_is_obeyed(self):
        colour = re.compile(rb"\x1b\[[0-9;]*m")
        self.assertRegex(self.talk_on_a_terminal(NO_COLOR=""), colour)
        self.assertNotRegex(self.talk_on_a_terminal(NO_COLOR="1"), colour)

    def test_output_to_a_file_has_no_codes_for_a_terminal(self):
        done = self.run_attune("start", "--impressions", "1000", TERM="xterm")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("\x1b", done.stdout + done.stderr)


class Settings(Case):
    def config(self, text):
        (self.folder / "a.toml").write_text(text)

    def test_flag_wins_over_environment_over_file_over_default(self):
        self.config('[workspace]\ncheckpoint_s = 10\ntick_ms = 20\nshards = 3\n')
        done = self.run_attune("config", "print", "--config", "a.toml", "--json",
                               "--set", "workspace.checkpoint_s=30",
                               ATTUNE__WORKSPACE__CHECKPOINT_S="20",
                               ATTUNE__WORKSPACE__TICK_MS="25")
        keys = json.loads(done.stdout)
        self.assertEqual(keys["workspace.checkpoint_s"], {"value": 30, "source": "--set"})
        self.assertEqual(keys["workspace.tick_ms"],
                         {"value": 25, "source": "ATTUNE__WORKSPACE__TICK_MS"})
        self.assertEqual(keys["workspace.shards"], {"value": 3, "source": "a.toml line 4"})
        self.assertEqual(keys["log.level"], {"value": "info", "source": "default"})

    def test_set_takes_one_word_and_may_be_repeated(self):
        done = self.run_attune("config", "print", "--set", "log.keep=1", "--set", "log.level=warn",
                               "--json")
        keys = json.loads(done.stdout)
        self.assertEqual([keys[k]["value"] for k in ("log.keep", "log.level")], [1, "warn"])
        self.fails(2, "config", "print", "--set", "log.keep=1", "log.level=warn",
                   says="no command log.level")
        self.fails(2, "config", "print", "--set", "log.keep", says="must be section.key=value")

    def test_a_printed_configuration_checks_and_prints_the_same(self):
        printed = self.run_attune("config", "print", "--set", "log.keep=7").stdout
        self.config(printed)
        self.assertEqual(self.run_attune("config", "check", "a.toml").returncode, 0)
        again = self.run_attune("config", "print", "--config", "a.toml").stdout
        strip = lambda text: re.sub(r" +# .*", "", text)
        self.assertEqual(strip(again), strip(printed))

    def test_check_names_line_and_remedy(self):
        for text, says, hint in [
            ("[workspace]\n\nretension_s = 1\n", "a.toml line 3: unknown key workspace.retension_s",
             "did you mean workspace.retention_s?"),
            ("[server]\nthreads = 99\n", "a.toml line 2: server.threads is 99, must be in [1, 64]",
             "attune config explain server.threads"),
            ('[server]\nlisten = "nowhere"\n', "server.listen is nowhere, must be HOST:PORT",
             "127.0.0.1"),
            ("[workspace]\nmemory_bytes = 5\n", "workspace.memory_bytes is 5, must be 0 or at least",
             "512M"),
            ("[workspace\n", "a.toml line 1: not valid TOML", ""),
        ]:
            self.config(text)
            self.fails(2, "config", "check", "a.toml", says=says, hint=hint)
        self.config("[log]\nlevel = \"warn\"\n")
        done = self.run_attune("config", "check", "a.toml", "--json")
        self.assertEqual(json.loads(done.stdout), {"ok": True, "keys_set": 1})

    def test_serve_refuses_what_check_refuses(self):
        self.config("[server]\nthread = 2\n")
        self.fails(2, "serve", "--config", "a.toml", says="a.toml line 2: unknown key server.thread",
                   hint="did you mean server.threads?", **KEYS)
        self.fails(2, "serve", says="ATTUNE__SERVER__THRAEDS: unknown key server.thraeds",
                   hint="did you mean server.threads?", ATTUNE__SERVER__THRAEDS="1", **KEYS)
        self.fails(2, "serve", "--memory", "12Q", says="--memory: workspace.memory_bytes", **KEYS)
        self.fails(2, "serve", says="no key is set", hint="ATTUNE_ADMIN_KEY")

    def test_explain_says_what_a_key_may_be(self):
        done = self.run_attune("config", "explain", "workspace.full_disk_share", "--json")
        said = json.loads(done.stdout)
        self.assertEqual((said["default"], said["allowed"]), (0.95, "[0.01, 1]"))

    def test_changed_settings_are_logged_and_journalled_without_secrets(self):
        server, _ = self.start("--retention-s", "86400", "--log-file", "log",
                               ATTUNE_ADMIN_KEY="hush-4711")
        self.stop(server)
        server, _ = self.start("--retention-s", "86400", "--log-file", "log")
        self.stop(server)
        log = (self.folder / "log").read_text()
        self.assertEqual(log.count("settings_changed"), 2)  # each time another port
        self.assertRegex(log, r'starting version=\S+ settings_hash=[0-9a-f]{16} changed=')
        self.assertIn('workspace.retention_s\\":86400', log)
        journal = self.log_file().read_bytes()
        self.assertIn(b'"workspace.retention_s":86400', journal)
        self.assertNotIn(b"hush-4711", journal + log.encode())

    def test_consent_default_without_storage_keeps_nothing(self):
        server, port = self.start("--set", "consent.default=analytics")
        self.call(port, "POST", "/v1/track",
                  '{"userId":"ann","event":"Product Viewed","properties":{"product_id":"p1"}}')
        with self.assertRaises(urllib.error.HTTPError):
            self.call(port, "GET", "/v1/spaces/x/collections/users/profiles/user_id:bob/events")
        events = self.call(port, "GET", "/v1/spaces/x/collections/users/profiles/user_id:ann/events")
        self.assertEqual(json.loads(events)["data"], [])
        self.stop(server)

    def test_own_event_names_and_limits_are_obeyed(self):
        self.config('[collect]\nmax_messages = 2\n[collect.verbs]\n"Lead Captured" = "purchase"\n')
        server, port = self.start("--config", "a.toml")
        self.call(port, "POST", "/v1/track",
                  '{"userId":"ann","event":"lead captured","properties":{"product_id":"p1"}}')
        person = json.loads(self.call(port, "GET", "/api/v1/persons/ann"))
        self.assertIn("purchase", person["counts"])
        three = ",".join('{"type":"track","userId":"u","event":"x"}' for _ in range(3))
        with self.assertRaises(urllib.error.HTTPError):
            self.call(port, "POST", "/v1/batch", '{"batch":[%s]}' % three)
        self.stop(server)


class Plan(Case):
    def test_the_default_is_printed_and_checks(self):
        text = self.run_attune("plan").stdout
        (self.folder / "plan.toml").write_text(text)
        self.assertEqual(self.run_attune("plan", "plan.toml").stdout, text)
        kinds = [f["kind"] for f in json.loads(self.run_attune("plan", "--json").stdout)["feature"]]
        self.assertIn("trait_topic", kinds)

    def test_a_wrong_plan_is_refused_by_line(self):
        (self.folder / "plan.toml").write_text('[[feature]]\nkind = "itm"\n')
        says = "plan.toml line 2: unknown kind itm, did you mean item?"
        self.fails(2, "plan", "plan.toml", says=says)
        self.fails(2, "serve", "--workspace", "shop", "--plan", "plan.toml", says=says, **KEYS)
        self.fails(1, "plan", "none.toml", says="no plan at none.toml")

    def test_a_declared_plan_makes_the_rows_stays_and_verifies(self):
        (self.folder / "plan.toml").write_text(
            '[[feature]]\nkind = "bias"\n[[feature]]\nkind = "topic"\nscale = 0.5\n')
        server, port = self.start("--plan", "plan.toml")
        self.call(port, "PUT", "/api/v1/items/p1", '{"category":"shoes"}')
        self.call(port, "PUT", "/api/v1/placements/home", '{"control_share":0,"seen_window_s":0}')
        self.call(port, "POST", "/v1/track",
                  '{"userId":"ann","event":"Product Viewed","properties":{"product_id":"p1"}}')
        self.assertEqual(self.parts(port), [("bias", 1), ("topic=shoes", 0.5)])
        self.stop(server)
        server, port = self.start()  # without the file: the workspace keeps its plan
        self.assertEqual(self.parts(port), [("bias", 1), ("topic=shoes", 0.5)])
        self.stop(server)
        done = self.run_attune("replay", "--verify", "--workspace", "shop")
        self.assertIn("2 of 2 decisions recomputed bit for bit, 0 differ", done.stdout)

    def parts(self, port):
        made = json.loads(self.call(port, "POST", "/api/v1/decide",
                                    '{"person":"ann","placement":"home","n":1}'))
        why = json.loads(self.call(port, "GET", "/api/v1/decisions/" + made["decision_id"]))
        return [(part["name"], part["value"]) for part in why["items"][0]["parts"]]


class Refusals(Case):
    def test_two_servers_on_one_workspace(self):
        server, _ = self.start()
        self.fails(1, "serve", "--workspace", "shop", "--listen", f"127.0.0.1:{free_port()}",
                   says=f"workspace shop is in use by another process (pid {server.pid})",
                   hint="stop the other process", **KEYS)
        self.fails(1, "replay", "--verify", "--workspace", "shop", says=f"(pid {server.pid})")

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.fails(1, "serve", "--listen", f"127.0.0.1:{port}",
                       says=f"cannot listen on 127.0.0.1:{port}", hint="another port", **KEYS)

    def test_a_missing_key_file(self):
        (self.make_workspace() / "keys").unlink()
        self.fails(1, "serve", "--workspace", "shop", says="there is no key file shop/keys",
                   hint="put the key file there", **KEYS)

    def test_a_state_of_a_newer_format(self):
        import sqlite3
        with sqlite3.connect(self.make_workspace() / "state.db") as state:
            state.execute("PRAGMA user_version = 9")
        state.close()
        self.fails(2, "serve", "--workspace", "shop", says="state.db has store format 9",
                   hint="start a newer version of attune", **KEYS)

    def test_a_corrupt_log_file(self):
        self.make_workspace()
        path = self.log_file()
        content = bytearray(path.read_bytes())
        content[120] ^= 1
        path.write_bytes(content)
        self.fails(1, "serve", "--workspace", "shop", says=path.name, hint="backup", **KEYS)

    def test_a_torn_tail_is_cut_and_said(self):
        self.make_workspace()
        with self.log_file().open("ab") as log:
            log.write(b"torn")
        server, _ = self.start()
        self.assertRegex("".join(self.said),
                         r"warn torn_tail_cut file=shop/journal/\d+\.log bytes=4\n")
        self.stop(server)

    def test_a_damaged_state_names_the_mend(self):
        (self.make_workspace() / "state.db").write_bytes(b"x" * 8192)
        self.fails(1, "serve", "--workspace", "shop", says="state.db is damaged",
                   hint="remove it to rebuild it from the journal", **KEYS)
        (self.folder / "shop/state.db").unlink()
        done = self.run_attune("replay", "--verify", "--workspace", "shop")
        self.assertEqual(done.returncode, 0, done.stderr)


class Doctor(Case):
    def doctor(self, *arguments):
        done = self.run_attune("doctor", "--workspace", "shop", "--json", *arguments,
                               ATTUNE_ADMIN_KEY="a")
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if report["ok"] else 1)
        return {c["check"]: c for c in report["checks"]}, report

    def listen(self, port):
        return ["--listen", f"127.0.0.1:{port}"]

    def test_finds_nothing_wrong_with_a_stopped_workspace(self):
        self.make_workspace()
        checks, report = self.doctor(*self.listen(free_port()))
        failed = [c for c in checks.values() if c["health"] == "FAIL" and c["check"] != "disk"]
        self.assertEqual(failed, [])
        self.assertEqual(checks["opens"]["says"], "1 identities")
        self.assertGreater(report["memory_bytes"]["keys"], 0)

    def test_asks_a_running_server(self):
        server, port = self.start()
        checks, _ = self.doctor(*self.listen(port))
        self.assertIn(f"used by process {server.pid}", checks["workspace"]["says"])
        self.assertIn("is served", checks["port"]["says"])
        self.assertEqual(checks["ready"]["health"], "OK")
        self.assertEqual(checks["metrics"]["health"], "OK")
        self.assertNotIn("opens", checks)

    def test_says_what_to_do_about_each_fault(self):
        workspace = self.make_workspace()
        (workspace / "keys").chmod(0o644)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            checks, _ = self.doctor(*self.listen(taken.getsockname()[1]), "--memory", "900000G")
        self.assertEqual((checks["keys"]["health"], checks["keys"]["fix"]),
                         ("FAIL", "chmod 600 shop/keys"))
        self.assertEqual(checks["port"]["health"], "FAIL")
        self.assertEqual(checks["memory"]["health"], "FAIL")

    def test_names_who_holds_the_port(self):
        self.make_workspace()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            checks, _ = self.doctor(*self.listen(taken.getsockname()[1]))
        self.assertIn(f"process {os.getpid()}", checks["port"]["says"])

    def test_a_wrong_setting_is_a_finding_and_not_the_end(self):
        self.make_workspace()
        checks, report = self.doctor("--set", "workspace.time_zone=Europe/Berlim")
        self.assertEqual((checks["settings"]["health"], checks["settings"]["fix"]),
                         ("FAIL", "did you mean Europe/Berlin?"))
        self.assertIn("port", checks)
        self.assertFalse(report["ok"])

    def test_a_misspelt_input_of_the_plan_is_told(self):
        (self.folder / "items.csv").write_text("id,brand\na,ace\nb,bee\n")
        (self.folder / "plan.toml").write_text('[[feature]]\nkind = "category"\nof = "item.brnd"\n')
        self.make_workspace("--plan", "plan.toml")
        self.run_attune("items", "import", "items.csv", "--workspace", "shop")
        checks, _ = self.doctor()
        self.assertEqual(checks["plan"]["health"], "WARN")
        self.assertIn("did you mean item.brand?", checks["plan"]["says"])
        done = self.run_attune("plan", "plan.toml", "--workspace", "shop")
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: no item has brnd", done.stderr)
        (self.folder / "plan.toml").write_text('[[feature]]\nkind = "category"\nof = "item.brand"\n')
        self.assertEqual(self.run_attune("plan", "plan.toml", "--workspace", "shop").stderr, "")

    def test_looks_at_keys(self):
        self.make_workspace()
        done = self.run_attune("doctor", "--workspace", "shop", "--json", ATTUNE_WRITE_KEY="guess")
        says = [c["says"] for c in json.loads(done.stdout)["checks"] if c["check"] == "api_keys"]
        self.assertTrue(any("has 5 characters" in s for s in says), says)
        self.assertTrue(any("ATTUNE_WRITE_KEY is set, but is no key of this" in s for s in says), says)
        for i in range(4):
            self.run_attune("keys", "create", f"operator-{i}", "--scope", "admin", "--workspace", "shop")
        done = self.run_attune("doctor", "--workspace", "shop", "--json")
        says = [c["says"] for c in json.loads(done.stdout)["checks"] if c["check"] == "api_keys"]
        self.assertTrue(any("may do everything" in s for s in says), says)

    def test_looks_at_the_certificate(self):
        self.make_workspace()
        files = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"]
        self.assertIn("No such file", self.doctor(*files)[0]["certificate"]["says"])
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-addext",
                        "subjectAltName=DNS:shop.example", "-days", "3", "-keyout", "key.pem",
                        "-out", "cert.pem"], cwd=self.folder, check=True, capture_output=True)
        (self.folder / "key.pem").chmod(0o600)
        report = self.doctor(*files)[1]
        found = [c for c in report["checks"] if c["check"] == "certificate"]
        self.assertIn("for shop.example", found[0]["says"])
        self.assertEqual(found[0]["health"], "WARN")  # three days are few
        self.assertIn("does not stand for 127.0.0.1, where the server listens", found[1]["says"])
        self.assertIn("as shop.example", found[1]["fix"])
        self.assertIn("signed by itself", found[2]["says"])
        for listen in ("0.0.0.0:8090", "shop.example:8090"):
            says = [c["says"] for c in self.doctor(*files, "--listen", listen)[1]["checks"]]
            self.assertFalse([s for s in says if "does not stand for" in s], listen)
        (self.folder / "key.pem").chmod(0o644)
        self.assertEqual(self.doctor(*files)[0]["certificate"]["health"], "FAIL")

    def test_looks_at_each_of_several_workspaces(self):
        for name in ("bazaar", "shop"):
            self.run_attune("workspace", "create", name, "--workspaces", "all")
        (self.folder / "all" / "shop" / "keys").chmod(0o644)
        checks, report = self.doctor("--workspaces", "all")
        self.assertEqual(checks["bazaar.keys"]["health"], "OK")
        self.assertEqual(checks["shop.keys"]["health"], "FAIL")
        self.assertIn("bazaar.keys", report["memory_bytes"])

    def test_finds_damage(self):
        workspace = self.make_workspace()
        with self.log_file().open("ab") as log:
            log.write(b"torn")
        (workspace / "state.db").write_bytes(b"x" * 8192)
        checks, _ = self.doctor()
        self.assertEqual(checks["journal"]["health"], "WARN")
        self.assertIn("4 bytes that a crash left", checks["journal"]["says"])
        self.assertEqual(checks["state.db"]["health"], "FAIL")
        (workspace / "keys").unlink()
        self.assertIn("no key file", self.doctor()[0]["keys"]["says"])
        shutil.rmtree(workspace)
        self.assertIn("there is none", self.doctor()[0]["workspace"]["says"])


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
