"""A Prometheus of a test's own, which scrapes what the test started twice a second."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from harness import free_port


class OwnPrometheus:
    """OwnPrometheus(world, ports, rules): rules is the text of a file of rules. close() ends it."""

    def __init__(self, world, ports, rules):
        self.log = world.folder / "prometheus.log"
        self.port = free_port()
        world.write("rules.yml", rules)
        targets = json.dumps([f"127.0.0.1:{port}" for port in ports])
        settings = world.write("prometheus.yml", f"""
global: {{scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms}}
rule_files: [rules.yml]
scrape_configs: [{{job_name: tandem, static_configs: [{{targets: {targets}}}]}}]
""")
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                ["prometheus", f"--config.file={settings}",
                 f"--storage.tsdb.path={world.folder}/tsdb",
                 f"--web.listen-address=127.0.0.1:{self.port}"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def ask(self, path, **form):
        """The data of an answer; {} while nothing listens yet. A refused query is an error."""
        if self.child.poll() is not None:
            raise AssertionError(self.log.read_text(errors="replace"))
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(form)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return {}       # it starts
            raise AssertionError(f"{form}: {error.read().decode()}") from error
        except OSError:
            return {}

    def up(self, count):
        found = self.ask("query", query="up").get("result", [])
        return len(found) == count and all(row["value"][1] == "1" for row in found)

    def close(self):
        self.child.kill()
        self.child.wait(20)
