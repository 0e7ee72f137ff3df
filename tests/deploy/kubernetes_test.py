"""deploy/kubernetes is what a cluster takes: by the schemas of Kubernetes, strict, and as a whole."""

import copy
import json
import pathlib
import re
import subprocess
import os
import unittest

import jsonschema
import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PLACE = ROOT / "deploy/kubernetes"
TANDEM = os.environ.get("TANDEM_BIN", str(ROOT / "build/tandem"))
API = {"Deployment": "apps", "Job": "batch", "Service": "core", "NetworkPolicy": "networking",
       "PodDisruptionBudget": "policy"}


def schema(document):
    kind = document["kind"]
    if kind in API:
        name, file = f"io.k8s.api.{API[kind]}.v1.{kind}", "kubernetes-1.34.json"
    else:
        name, file = f"{document['apiVersion']}/{kind}", "operators.json"
    known = json.loads((HERE / "schemas" / file).read_text(encoding="utf-8"))
    pointer = name.replace("/", "~1")
    return {**known, "$ref": f"#/definitions/{pointer}"}


def faults(document):
    checker = jsonschema.Draft202012Validator(schema(document))
    return [f"{document['kind']} {list(e.absolute_path)}: {e.message}"
            for e in checker.iter_errors(document)]


def read(path):
    return [d for d in yaml.safe_load_all(path.read_text(encoding="utf-8")) if d]


def resources(folder):
    """Every document that `kubectl apply -k` of this folder sends."""
    book = read(folder / "kustomization.yaml")[0]
    found = []
    for name in book.get("resources", []) + book.get("components", []):
        place = folder / name
        found += resources(place) if place.is_dir() else read(place)
    return found


class Kubernetes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.all = resources(PLACE)

    def of(self, kind):
        return {d["metadata"]["name"]: d for d in self.all if d["kind"] == kind}

    def pods(self):
        return {name: d["spec"]["template"]["spec"]
                for kind in ("Deployment", "Job") for name, d in self.of(kind).items()}

    def test_every_document_is_valid(self):
        self.assertGreater(len(self.all), 12)
        for document in self.all:
            self.assertEqual(faults(document), [])

    def test_a_field_that_kubernetes_does_not_know_is_refused(self):
        for document in self.all:
            wrong = copy.deepcopy(document)
            wrong["spec"]["replica"] = 1
            self.assertEqual(len(faults(wrong)), 1, document["kind"])

    def test_every_file_is_part_of_a_kustomization(self):
        files = {d["metadata"]["name"] + d["kind"] for path in PLACE.rglob("*.yaml")
                 if path.name != "kustomization.yaml" for d in read(path)}
        self.assertEqual(files, {d["metadata"]["name"] + d["kind"] for d in self.all})

    def test_what_one_document_names_another_has(self):
        deployments = self.of("Deployment")
        for name, budget in self.of("PodDisruptionBudget").items():
            labels = deployments[name]["spec"]["template"]["metadata"]["labels"]
            self.assertEqual(budget["spec"]["selector"]["matchLabels"], labels)
        for name, scaled in self.of("ScaledObject").items():
            self.assertEqual(scaled["spec"]["scaleTargetRef"]["name"], name)
            self.assertIn(name, deployments)
        monitor = self.of("ServiceMonitor")["tandem"]["spec"]
        service = self.of("Service")["tandem"]
        self.assertEqual(monitor["selector"]["matchLabels"], service["metadata"]["labels"])
        self.assertEqual(monitor["endpoints"][0]["port"], service["spec"]["ports"][0]["name"])
        made = {g["name"] for g in read(PLACE / "base/kustomization.yaml")[0]["configMapGenerator"]}
        used = set(re.findall(r"tandem-(?:settings|targets)", json.dumps(self.all)))
        self.assertEqual(made, used)

    def test_every_pod_is_held_to_the_restricted_standard(self):
        for name, pod in self.pods().items():
            self.assertTrue(pod["securityContext"]["runAsNonRoot"], name)
            self.assertEqual(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault")
            for container in pod["containers"]:
                held = container["securityContext"]
                self.assertFalse(held["allowPrivilegeEscalation"], name)
                self.assertTrue(held["readOnlyRootFilesystem"], name)
                self.assertEqual(held["capabilities"]["drop"], ["ALL"], name)
                self.assertIn("memory", container["resources"]["limits"], name)

    def test_roles_are_commands_of_tandem_and_settings_its_settings(self):
        for name, pod in self.pods().items():
            for container in pod["containers"]:
                done = subprocess.run([TANDEM, "help", container["args"][0]],
                                      capture_output=True, check=False)
                self.assertEqual(done.returncode, 0, name)
        for line in (PLACE / "base/settings.env").read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                self.assertRegex(line, r"^TANDEM_[A-Z_]+=\S+$")

    def test_targets_are_those_of_the_example(self):
        self.assertEqual((PLACE / "base/targets.json").read_bytes(),
                         (ROOT / "examples/targets.json").read_bytes())


if __name__ == "__main__":
    unittest.main()
