"""What is kept of trainings, and what explain says of columns, as a user meets it.
runs_test.py BINARY [TestClass]"""
import json
import os
import sys
import unittest

import cli_test
import learn_test


class Runs(learn_test.Files):
    def train(self, *options):
        return self.json_of("train", self.shop(), "--target", "y", "--runs", "runs", *options)

    def test_each_training_is_a_line_and_differences_are_shown(self):
        first = self.train("--passes", "3", "--set", "alpha=0.1", "--output", "a")
        second = self.train("--passes", "3", "--set", "alpha=0.3", "--output", "b")
        lines = [json.loads(line) for line in (self.folder / "runs/runs.jsonl").read_text().split("\n")
                 if line]
        self.assertEqual([line["model_id"] for line in lines], [first["id"], second["id"]])
        self.assertEqual([line["id"] for line in lines], [first["run"], second["run"]])
        self.assertEqual(lines[0]["data_hash"], lines[1]["data_hash"])
        self.assertEqual(len(lines[0]["data_hash"]), 32)
        self.assertAlmostEqual(lines[0]["metrics"]["auc"], first["auc"])
        self.assertEqual(lines[0]["parameters"]["target"], "y")
        self.assertEqual(lines[0]["version"], "0.1.0")
        listed = self.json_of("runs", "list", "--runs", "runs")["runs"]
        self.assertEqual([run["id"] for run in listed], [lines[1]["id"], lines[0]["id"]])
        both = self.json_of("runs", "compare", lines[0]["id"], "latest", "--runs", "runs")
        self.assertEqual(both["parameters"], {"alpha": ["0.1", "0.3"]})
        self.assertIn("log_loss", both["metrics"])
        shown = self.run_attune("runs", "show", "latest", "--runs", "runs").stdout
        self.assertIn(second["id"], shown)
        said = self.run_attune("runs", "compare", lines[0]["id"], lines[1]["id"], "--runs", "runs")
        self.assertRegex(said.stdout, r"alpha +0\.1 +0\.3\n")
        self.assertIn(lines[0]["id"], self.run_attune("runs", "list", "--runs", "runs").stdout)

    def test_nothing_is_kept_unasked_and_what_is_missing_is_said(self):
        self.json_of("train", self.shop(), "--target", "y")
        self.assertFalse((self.folder / "runs").exists())
        self.fails(1, "runs", "list", "--runs", "runs", says="no runs in runs", hint="--runs runs")
        self.fails(2, "runs", "list", says="name either --runs DIR or --workspace")
        self.train()
        self.fails(1, "runs", "show", "r_none", "--runs", "runs", says="no run r_none")

    def test_event_files_lie_in_a_folder_of_the_run(self):
        self.train("--kind", "ftrl", "--tensorboard", "tb")
        run = json.loads((self.folder / "runs/runs.jsonl").read_text())
        files = list((self.folder / "tb" / run["id"]).iterdir())
        self.assertEqual(len(files), 1)
        self.assertTrue(files[0].name.startswith("events.out.tfevents."))
        data = files[0].read_bytes()
        for tag in (b"pass_loss/ftrl", b"validation_loss/ftrl", b"metrics/auc", b"hparams/alpha"):
            self.assertIn(tag, data)


class WhatIf(learn_test.Files):
    def test_importance_dependence_and_counterfactual(self):
        for kind in ("ftrl", "mlp"):
            self.json_of("train", self.shop(n=2000), "--target", "y", "--kind", kind,
                         "--time-column", "none", "--drop", "day", "--output", "m.attune")
            of = ("explain", "--model", "m.attune", "shop.csv")
            columns = self.json_of(*of, "--importance")["columns"]
            self.assertEqual({one["column"] for one in columns}, {"city", "age"})
            self.assertGreater(columns[0]["loss_interval"][0], 0)
            age = self.json_of(*of, "--column", "age")
            self.assertTrue(age["is_number"])
            self.assertGreater(age["points"][0]["mean"], age["points"][-1]["mean"] + 0.1)
            city = {p["value"]: p["mean"] for p in self.json_of(*of, "--column", "city")["points"]}
            self.assertGreater(city["rome"], city["oslo"])
            what = self.json_of(*of, "--row", "5", "--counterfactual")["counterfactual"]
            self.assertEqual((what["column"], what["value"]), ("city", "rome"))
            self.assertTrue(what["words"].startswith("had city been rome instead of oslo, the chance"))
            for options, says in ((("--importance",), "what it costs in log loss"),
                                  (("--column", "age"), "mean prediction were age so"),
                                  (("--row", "5", "--counterfactual"), "had city been rome")):
                self.assertIn(says, self.run_attune(*of, *options).stdout)

    def test_what_cannot_be_asked_is_said(self):
        model = self.model()
        self.fails(2, "explain", "--model", model, "--importance", says="which rows?")
        self.fails(2, "explain", "--model", model, "shop.csv", "--column", "agee",
                   says="did you mean age?", hint="it reads")
        self.fails(2, "explain", "--model", model, "shop.csv", "--counterfactual",
                   says="needs --row")
        self.json_of("train", self.criteo(), "--format", "criteo", "--output", "c.attune")
        self.fails(2, "explain", "--model", "c.attune", "c.tsv", "--importance",
                   says="has no columns to change")


if __name__ == "__main__":
    cli_test.BINARY = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
