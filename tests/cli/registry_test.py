"""Models of a workspace's own decisions: trained beside a server, registered, promoted, rolled back,
retrained on a schedule. registry_test.py BINARY [TestClass]"""
import json
import os
import shutil
import sys
import time
import unittest

import cli_test
from cli_test import Case

IMPRESSIONS = 8000


class Models(Case):
    """Each test has a workspace of simulated visits."""

    def setUp(self):
        super().setUp()
        self.json_of("start", "--impressions", str(IMPRESSIONS), "--workspace", "shop")
        self.key = self.json_of("keys", "create", "test", "--workspace", "shop", "--scope", "admin",
                                "--scope", "decide", "--scope", "read", "--scope", "write")["key"]

    def call(self, port, method, path, body=None):
        """The body of a 200."""
        return json.loads(super().call(port, method, path, body and json.dumps(body), self.key))

    def json_of(self, *arguments, **environment):
        done = self.run_attune(*arguments, "--json", **environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def train(self, *more):
        return self.json_of("train", "--workspace", "shop", "--output", "m.attune", *more)

    def placement(self, port):
        self.call(port, "PUT", "/api/v1/placements/feed", {"model": "ranker", "control_share": 0})

    def decided_by(self, port):
        return self.call(port, "POST", "/api/v1/decide",
                         {"person": "p0001", "placement": "feed", "n": 3})["model"]

    def sources(self, port):
        """That the items of some persons' decisions were drawn from."""
        items = []
        for number in range(1, 30):
            items += self.call(port, "POST", "/api/v1/decide",
                               {"person": f"p{number:04}", "placement": "feed", "n": 60})["items"]
        return {item["source"] for item in items}


class Factors(Models):
    def test_they_draw_candidates_where_a_placement_names_them(self):
        report = self.train("--kind", "factors", "--set", "size=16", "--register", "taste", "--promote")
        self.assertEqual(report["kind"], "factors")
        self.assertGreater(report["pairs"], 100)
        version = self.json_of("registry", "show", "taste", "--workspace", "shop")["versions"][0]
        self.assertEqual((version["id"], version["kind"], version["input"]),
                         (report["id"], "factors", "items"))
        self.assertEqual(version["about"]["pairs"], report["pairs"])
        _, port = self.start()
        self.call(port, "PUT", "/api/v1/placements/feed",
                  {"retriever": "taste", "control_share": 0, "epsilon": 0, "seen_window_s": 0,
                   "candidates": 60})
        self.assertEqual(self.call(port, "GET", "/api/v1/placements/feed")["retriever"], "taste")
        self.wait_for(lambda: "factors" in self.sources(port))
        self.assertLessEqual({"persons_alike", "factors", "popular"}, self.sources(port))

    def test_what_they_do_not_take_is_said(self):
        for more, said in ((["--against", "ranker"], "not from rows"),
                           (["--set", "size=12"], "must be a multiple of 8"),
                           (["--set", "size=4"], "must be in [8, 512]"),
                           (["--set", "alpha=1"], "its settings: size, all, ridge, rounds")):
            done = self.run_attune("train", "--workspace", "shop", "--kind", "factors", *more)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(said, done.stderr)


class Registry(Models):
    def test_train_register_promote_and_roll_back_in_the_folder(self):
        report = self.train("--kind", "fm", "--register", "ranker")
        self.assertEqual(report["input"], "workspace")
        self.assertGreater(report["rows"], 0.9 * IMPRESSIONS)
        self.assertEqual(report["rows"], report["train_rows"] + report["test_rows"])
        self.assertEqual(report["rivals"][0]["name"], "the live learner")
        self.assertIn(report["can_be_promoted"], [True, False])
        listed = self.json_of("registry", "list", "--workspace", "shop")["models"]
        self.assertEqual([m["name"] for m in listed], ["ranker"])
        self.assertEqual(listed[0]["versions"][0]["id"], report["id"])
        self.assertEqual(listed[0]["versions"][0]["about"]["log_loss"], report["log_loss"])
        self.assertIsNone(listed[0]["promoted"])
        again = self.train("--kind", "fm", "--set", "k=4", "--register", "ranker", "--against",
                           "ranker@1")
        self.assertEqual([r["name"] for r in again["rivals"]], ["the live learner", "ranker@1"])
        self.assertEqual(again["rivals"][1]["rows"], 0)  # it knows them all
        self.json_of("registry", "promote", "ranker@1", "--workspace", "shop")
        done = self.json_of("registry", "promote", "ranker@2", "--workspace", "shop", "--reason", "k 4")
        self.assertEqual(done["promoted"], 2)
        self.assertEqual(self.json_of("registry", "rollback", "ranker", "--workspace", "shop")["promoted"], 1)
        steps = self.json_of("registry", "show", "ranker", "--workspace", "shop")["steps"]
        self.assertEqual([s["step"] for s in steps],
                         ["register", "register", "promote", "promote", "roll_back"])
        self.assertEqual(steps[3]["reason"], "k 4")
        shown = self.run_attune("registry", "show", "ranker", "--workspace", "shop").stdout
        self.assertIn("promoted", shown)
        self.assertIn("roll_back 1", shown)

    def test_a_challenger_is_a_shadow_then_a_canary_and_is_told_from_what_ranks(self):
        self.train("--kind", "ftrl", "--register", "ranker")
        self.train("--kind", "fwfm", "--register", "ranker")
        self.json_of("registry", "promote", "ranker@1", "--workspace", "shop")
        self.json_of("registry", "shadow", "ranker@2", "--workspace", "shop")
        self.json_of("registry", "learn", "ranker@1", "--workspace", "shop", "--reason", "every day")
        shown = self.run_attune("registry", "list", "--workspace", "shop").stdout
        self.assertRegex(shown, r"ranker@1 +promoted, learns")
        self.assertRegex(shown, r"ranker@2 +shadow")
        self.json_of("registry", "canary", "ranker@2", "--share", "0.5", "--promote-when-better",
                     "--workspace", "shop")
        listed = self.run_attune("registry", "list", "--workspace", "shop").stdout
        self.assertRegex(listed, r"ranker@2 +canary 50 % or all")
        answer = self.json_of("registry", "canary", "ranker@2", "--share", "0.5", "--workspace", "shop")
        self.assertEqual(answer["challenger"],
                         {"version": 2, "share": 0.5, "promote_when_better": False})
        server, port = self.start()
        self.placement(port)
        for i in range(40):
            self.call(port, "POST", "/api/v1/decide", {"person": f"p{i + 1:04}", "placement": "feed", "n": 2})
        at = ["--workspace", "shop", "--server", f"http://127.0.0.1:{port}"]
        compared = self.json_of("registry", "compare", "ranker", *at, ATTUNE_ADMIN_KEY=self.key)
        self.assertEqual((compared["challenger"], compared["share"], compared["promoted"]), (2, 0.5, 1))
        self.assertEqual({m["version"] for m in compared["outcomes"]}, {1, 2})
        told = self.run_attune("registry", "compare", "ranker", *at, ATTUNE_ADMIN_KEY=self.key).stdout
        self.assertIn("ranker@2 challenges since", told)
        self.assertIn("version 1, which learns", told)
        self.stop(server)
        self.json_of("registry", "retire", "ranker", "--workspace", "shop", "--reason", "no better")
        self.json_of("registry", "learn", "ranker@1", "--stop", "--workspace", "shop")
        steps = self.json_of("registry", "show", "ranker", "--workspace", "shop")["steps"]
        self.assertEqual([s["step"] for s in steps],
                         ["register", "register", "promote", "shadow", "learn", "canary", "canary", "retire",
                          "stop_learning"])
        self.fails(1, "registry", "compare", "ranker", "--workspace", "shop", says="has no challenger",
                   hint="registry shadow")
        self.fails(2, "registry", "canary", "ranker@2", "--share", "0.7", "--workspace", "shop",
                   says="--share")

    def test_the_same_journal_gives_the_same_model(self):
        first = self.train("--kind", "ftrl")["id"]
        self.assertEqual(self.train("--kind", "ftrl")["id"], first)
        self.assertNotEqual(self.train("--kind", "fm")["id"], first)

    def test_eval_and_predict_read_the_journal(self):
        report = self.train("--register", "ranker")
        self.fails(2, "eval", "--workspace", "shop", "--model", "ranker@1",
                   says="the model has learned from all", hint="add --all")
        everything = self.json_of("eval", "--workspace", "shop", "--model", "ranker@1", "--all")
        self.assertEqual(everything["rows"], report["rows"])
        self.assertLess(everything["log_loss"], everything["log_loss_baseline"])
        self.json_of("predict", "--workspace", "shop", "--model", "m.attune", "--output", "p.txt")
        lines = (self.folder / "p.txt").read_text().split()
        self.assertEqual(len(lines), report["rows"])
        self.assertTrue(all(0 < float(p) < 1 for p in lines))
        weights = self.train("--names", "--kind", "ftrl")
        self.assertEqual(weights["kind"], "ftrl")
        told = self.json_of("explain", "--model", "m.attune", "--top", "5")
        self.assertEqual(len(told["weights"]), 5)

    def test_memory_is_kept_or_refused(self):
        report = self.train("--kind", "fm", "--bits", "24", "--memory", "256M")
        self.assertIn("instead of 2^24", " ".join(report["warnings"]))
        if "/release/" in cli_test.BINARY:  # sanitizers take memory of their own
            self.assertLess(report["peak_rss_bytes"], 256 << 20)
        self.fails(2, "train", "--workspace", "shop", "--memory", "64M", "--output", "n.attune",
                   says="more than the limit of 64 MB", hint="allow more memory")

    def test_what_cannot_be_is_said(self):
        self.train("--register", "ranker")
        self.fails(2, "train", says="name either a file or --workspace")
        self.fails(2, "train", "x.csv", "--register", "r", says="need --workspace")
        self.fails(2, "train", "--workspace", "shop", "--positive", "y", says="are for files")
        self.fails(2, "train", "--workspace", "shop", "--register", "My Model", says="a-z, 0-9")
        self.fails(2, "train", "--workspace", "shop", "--kind", "linear", says="predicts a number")
        self.fails(1, "train", "--workspace", "nothing", says="no workspace at nothing")
        self.fails(1, "train", "--workspace", "shop", "--against", "rankr",
                   says='did you mean "ranker"?')
        self.fails(1, "eval", "--workspace", "shop", "--model", "ranker",
                   says='no version of model "ranker" is promoted')
        self.fails(1, "eval", "--workspace", "shop", "--model", "ranker@7", says="has no version 7")
        self.fails(1, "predict", "x.csv", "--model", "ranker", says="no such file",
                   hint="add --workspace")
        self.fails(2, "registry", "promote", "ranker", "--workspace", "shop", says="which version?")
        self.fails(1, "registry", "promote", "ranker@9", "--workspace", "shop", says="no version 9",
                   hint="its versions: 1")
        self.fails(1, "registry", "rollback", "ranker", "--workspace", "shop", says="is promoted")
        self.fails(1, "registry", "show", "rankr", "--workspace", "shop", says="did you mean")
        self.train("--kind", "mlp", "--register", "deep")
        self.fails(2, "registry", "promote", "deep@1", "--workspace", "shop",
                   says="no exact parts", hint="--kind ftrl")

    def test_beside_a_server(self):
        _, port = self.start()
        report = self.json_of("train", "--workspace", "shop", "--output", "m.attune", "--register",
                              "ranker", "--server", f"http://127.0.0.1:{port}", ATTUNE_ADMIN_KEY=self.key)
        self.placement(port)
        self.assertEqual(self.decided_by(port), "live")
        server = ["--workspace", "shop", "--server", f"http://127.0.0.1:{port}"]
        self.json_of("registry", "promote", "ranker@1", *server, ATTUNE_ADMIN_KEY=self.key)
        self.wait_for(lambda: self.decided_by(port) == "ranker@1")
        model = self.call(port, "GET", "/api/v1/models/ranker")
        self.assertEqual((model["promoted"], model["versions"][0]["id"]), (1, report["id"]))
        self.json_of("registry", "rollback", "ranker", *server, ATTUNE_ADMIN_KEY=self.key)
        self.wait_for(lambda: self.decided_by(port) == "live")
        self.fails(1, "registry", "promote", "ranker@1", "--workspace", "shop", says="",
                   hint="stop the server, or ask it")


    def test_the_answer_says_what_was_set_in_the_folder_and_over_http(self):
        for kind in ("ftrl", "fm"):
            self.train("--kind", kind, "--register", "ranker")
        folder = ["--workspace", "shop"]
        self.json_of("registry", "promote", "ranker@1", *folder)
        self.check_answers(folder)
        server, port = self.start()
        self.check_answers([*folder, "--server", f"http://127.0.0.1:{port}"])
        self.stop(server)

    def test_what_was_learned_is_kept_over_http_and_in_the_folder(self):
        self.train("--kind", "fm", "--register", "ranker")
        folder = ["--workspace", "shop"]
        self.json_of("registry", "promote", "ranker@1", *folder)
        self.fails(1, "registry", "keep", "ranker@1", *folder, says="does not learn from the stream",
                   hint="registry learn")
        self.json_of("registry", "learn", "ranker@1", *folder)
        self.fails(1, "registry", "keep", "ranker@1", *folder, says="has learned nothing")
        server, port = self.start()
        self.call(port, "PUT", "/api/v1/placements/feed",
                  {"model": "ranker", "control_share": 0, "seen_window_s": 0})
        at = [*folder, "--server", f"http://127.0.0.1:{port}"]

        def kept():  # a click is learned from at the next tick
            made = self.call(port, "POST", "/api/v1/decide",
                             {"person": "p0001", "placement": "feed", "n": 5})
            self.call(port, "POST", "/v1/track", {
                "userId": "p0001", "event": "Product Clicked",
                "properties": {"product_id": made["items"][0]["item_id"],
                               "decision_id": made["decision_id"]}})
            time.sleep(0.3)
            done = self.run_attune("registry", "keep", "ranker@1", *at, ATTUNE_ADMIN_KEY=self.key)
            return done.returncode == 0 and done.stdout

        told = []
        self.wait_for(lambda: told.append(kept()) or told[-1])
        self.assertEqual(told[-1], "ranker@1, as far as it has learned, is ranker@2 from now on\n")
        self.stop(server)
        self.fails(1, "registry", "keep", "ranker@1", *folder, says="is version 2 of model")  # as it is
        versions = self.json_of("registry", "show", "ranker", *folder)["versions"]
        self.assertEqual((versions[1]["about"]["by"], versions[1]["about"]["of"]), ("registry keep", 1))
        self.assertEqual(self.json_of("registry", "promote", "ranker@2", *folder)["promoted"], 2)

    def check_answers(self, at):
        """Each step twice: once as people read it, once as JSON."""
        def answer(verb, *more):
            done = self.run_attune("registry", verb, *more, *at, ATTUNE_ADMIN_KEY=self.key)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout

        def fields(verb, *more):
            told = json.loads(answer(verb, *more, "--json"))
            return told["promoted"], told["challenger"], told["learning"]

        shadow = {"version": 2, "share": 0, "promote_when_better": False}
        beside = "ranker@2 is measured beside what ranks, as a shadow\n"
        self.assertIn(beside, answer("shadow", "ranker@2"))
        self.assertEqual(fields("canary", "ranker@2", "--share", "0.05"),
                         (1, {**shadow, "share": 0.05}, []))
        self.assertIn("ranker@2 ranks for 10 % of the persons, as a canary\n",
                      answer("canary", "ranker@2", "--share", "0.1"))
        self.assertIn("ranker@2 ranks for 10 % of the persons, as a canary, and for all once it is "
                      "clearly better\n",
                      answer("canary", "ranker@2", "--share", "0.1", "--promote-when-better"))
        self.assertEqual(fields("shadow", "ranker@2"), (1, shadow, []))
        self.assertIn(beside.replace("\n", ", and learns from the stream\n"),
                      answer("learn", "ranker@2"))
        self.assertEqual(fields("learn", "ranker@1"), (1, shadow, [1, 2]))
        self.assertIn(beside, answer("learn", "ranker@2", "--stop"))
        self.assertIn("ranker@1 ranks where a placement asks for it\n",
                      answer("learn", "ranker@1", "--stop"))
        self.assertIn("none challenges", answer("retire", "ranker"))
        answer("shadow", "ranker@2")
        self.assertEqual(fields("retire", "ranker"), (1, None, []))


class Retraining(Models):
    def test_a_schedule_registers_and_promotes_in_a_process_of_its_own(self):
        settings = [f"--set=training.{s}" for s in
                    ("every_s=86400", "cpu_share=0.5", "memory_bytes=256M")]
        server, port = self.start(*settings, "--log-file", "log.txt")
        log = self.folder / "log.txt"
        self.wait_for(lambda: " retrained " in log.read_text() or "retraining_failed" in log.read_text())
        self.assertNotIn("retraining_failed", log.read_text())
        model = self.call(port, "GET", "/api/v1/models/ranker")
        self.assertEqual(model["versions"][0]["about"]["by"], "schedule")
        self.assertEqual(model["versions"][0]["kind"], "fm")
        line = next(l for l in log.read_text().splitlines() if " retrained " in l)
        self.assertEqual("promoted=yes" in line, model["promoted"] == 1, line)
        self.placement(port)
        wanted = "ranker@1" if model["promoted"] == 1 else "live"
        self.wait_for(lambda: self.decided_by(port) == wanted)
        self.stop(server)
        # Not due again: nothing new after a restart.
        server, port = self.start(*settings, "--log-file", "log2.txt")
        time.sleep(3)
        self.assertNotIn("retraining", (self.folder / "log2.txt").read_text())

    def test_factors_draw_candidates_by_a_schedule(self):
        server, port = self.start("--set=training.every_s=86400", "--set=training.kind=factors",
                                  "--set=training.model=taste", "--log-file", "log.txt")
        log = self.folder / "log.txt"
        self.wait_for(lambda: " retrained " in log.read_text() or "retraining_failed" in log.read_text())
        self.assertIn("promoted=yes", log.read_text())
        model = self.call(port, "GET", "/api/v1/models/taste")
        self.assertEqual((model["promoted"], model["versions"][0]["kind"]), (1, "factors"))
        about = model["versions"][0]["about"]
        self.assertEqual((about["by"], about["lists"]), ("schedule", 0))
        self.assertGreater(about["pairs"], 100)
        self.call(port, "PUT", "/api/v1/placements/feed",
                  {"retriever": "taste", "control_share": 0, "epsilon": 0, "seen_window_s": 0,
                   "candidates": 60})
        self.wait_for(lambda: "factors" in self.sources(port))

    def test_factors_do_not_take_the_name_of_what_ranks(self):
        self.train("--kind", "fm", "--register", "ranker")
        self.json_of("registry", "promote", "ranker@1", "--workspace", "shop")
        _, port = self.start("--set=training.every_s=86400", "--set=training.kind=factors",
                             "--log-file", "log.txt")
        log = self.folder / "log.txt"
        self.wait_for(lambda: " retrained " in log.read_text() or "retraining_failed" in log.read_text())
        self.assertIn("version 1 is promoted, which is of kind fm", log.read_text())
        self.assertEqual(self.call(port, "GET", "/api/v1/models/ranker")["promoted"], 1)

    def test_a_training_that_cannot_is_said_and_serving_goes_on(self):
        shutil.rmtree(self.folder / "shop")  # a new one has nothing to learn from
        server, port = self.start("--set=training.every_s=3600", "--log-file", "log.txt")
        log = self.folder / "log.txt"
        self.wait_for(lambda: "retraining_failed" in log.read_text())
        self.assertIn("no decision has an outcome to learn from yet", log.read_text())
        self.key = "a"
        self.assertEqual(self.call(port, "GET", "/readyz"), {"status": "ok"})
        self.assertEqual(self.call(port, "GET", "/api/v1/models"), {"models": []})

    def test_a_name_that_is_none_is_refused(self):
        self.fails(2, "serve", "--workspace", "shop", "--set=training.every_s=60",
                   "--set=training.model=My Model", says="training.model", **cli_test.KEYS)


if __name__ == "__main__":
    cli_test.BINARY = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
