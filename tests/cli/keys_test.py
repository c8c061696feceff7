"""Access keys as an operator meets them. keys_test.py BINARY [TestClass]"""
import json
import os
import sys
import unittest
import urllib.error

import cli_test


class Keys(cli_test.Case):
    def test_a_server_without_any_key_makes_no_workspace(self):
        self.fails(2, "serve", "--workspace", "shop", says="no key is set", hint="ATTUNE_ADMIN_KEY")
        self.assertFalse((self.folder / "shop").exists())

    def test_a_created_key_works_until_it_is_revoked(self):
        self.make_workspace()
        made = self.run_attune("keys", "create", "site", "--scope", "write", "--scope", "read",
                               "--workspace", "shop", "--json")
        key = json.loads(made.stdout)
        listed = json.loads(self.run_attune("keys", "list", "--workspace", "shop", "--json").stdout)
        named = {k["name"]: k for k in listed["keys"]}
        self.assertEqual(named["site"]["scopes"], ["write", "read"])
        self.assertNotIn(key["key"], json.dumps(listed))
        server, port = self.start()
        self.call(port, "GET", "/api/v1/persons/ann", key=key["key"])
        self.stop(server)
        self.run_attune("keys", "revoke", key["id"], "--workspace", "shop")
        server, port = self.start()
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.call(port, "GET", "/api/v1/persons/ann", key=key["key"])
        refused.exception.close()
        self.assertEqual(refused.exception.code, 401)
        self.stop(server)

    def test_the_key_goes_to_stdout_alone_and_never_to_disk(self):
        self.make_workspace()
        made = self.run_attune("keys", "create", "site", "--scope", "write", "--workspace", "shop")
        self.assertRegex(made.stdout, r"^ak_\S+\n$")
        for path in (self.folder / "shop").rglob("*"):
            if path.is_file():
                self.assertNotIn(made.stdout.strip().encode(), path.read_bytes(), path)

    def test_misuse_names_what_is_wrong(self):
        self.make_workspace()
        self.fails(2, "keys", "create", "site", "--scope", "wrte", says="--scope")
        self.fails(1, "keys", "revoke", "k_none", "--workspace", "shop", says="k_none")
        self.fails(1, "keys", "list", "--workspace", "nowhere", says="no workspace at nowhere")

    def test_a_workspace_with_keys_ignores_those_of_the_environment(self):
        self.make_workspace()
        server, _ = self.start(ATTUNE_WRITE_KEY="other")
        self.assertIn("key_not_used variable=ATTUNE_WRITE_KEY", "".join(self.said))
        self.stop(server)


if __name__ == "__main__":
    cli_test.BINARY = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
