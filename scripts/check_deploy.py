"""Checks deploy/ without a container engine, a cluster or a running systemd: every file against the schema or the parser of
the program that will read it. Prints what is wrong and ends with status 1 where anything is."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import promql_parser
import yaml

DEPLOY = Path("deploy")
UNIT = DEPLOY / "systemd/hirenet-worker@.service"
KUBERNETES = "1.30"
# systemd's own judgement of a unit, from 0 (nothing allowed) to 10; below 2.0 it says OK.
EXPOSURE = 2.0
# The queues that a scaler may watch, as the program names them.
QUEUES = {f"hirenet.{stage}.{priority}" for stage in ("admit", "extract", "score", "erase") for priority in ("interactive", "bulk")}

wrong = []


def run(*command):
    """Runs a checker; its words are kept where it complains."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        wrong.append(f"{Path(command[0]).name}: {done.stdout}{done.stderr}".strip())
    return done


def tool(name):
    """A program of the environment that runs this script."""
    return str(Path(sys.executable).parent / name)


def yaml_files():
    run(tool("yamllint"), "--strict", "-d", "{extends: default, rules: {line-length: {max: 140}, document-start: disable, "
        "comments: {min-spaces-from-content: 1}, braces: {max-spaces-inside: 1}}}", str(DEPLOY))


def containerfile():
    run(tool("hadolint"), str(DEPLOY / "Containerfile"))
    # The copied and named files are there.
    text = (DEPLOY / "Containerfile").read_text()
    for name in ("scripts/setup.sh", "config.toml", "models"):
        if name not in text or not Path(name).exists():
            wrong.append(f"Containerfile: {name} is missing")


def compose():
    run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml"))
    # Every variable that has no default is in the example.
    text, example = (DEPLOY / "compose.yaml").read_text(), (DEPLOY / "example.env").read_text()
    for variable in sorted({part.split(":", 1)[0] for part in text.split("${")[1:]}):
        if f"\n{variable}=" not in example:
            wrong.append(f"compose.yaml: {variable} is not in example.env")
    services = yaml.safe_load(text)["services"]
    for name, service in services.items():
        for other in service.get("depends_on", {}):
            if other not in services:
                wrong.append(f"compose.yaml: {name} depends on {other}, which is none")


def keda(document, where):
    """The fields of KEDA's resources that we use; its schemas are in no package."""
    spec, kind = document["spec"], document["kind"]
    if kind == "TriggerAuthentication":
        needed, given = {"secretTargetRef"}, set(spec)
    elif kind == "ScaledObject":
        needed, given = {"scaleTargetRef", "triggers", "minReplicaCount", "maxReplicaCount"}, set(spec)
    else:
        needed, given = {"jobTargetRef", "triggers", "maxReplicaCount"}, set(spec)
    if needed - given:
        wrong.append(f"{where}: {kind} lacks {needed - given}")
    for trigger in spec.get("triggers", []):
        settings = trigger["metadata"]
        if trigger["type"] != "rabbitmq" or settings.get("mode") != "QueueLength" or settings.get("queueName") not in QUEUES:
            wrong.append(f"{where}: {kind} watches no queue of ours: {settings}")
        if not str(settings.get("value", "")).isdigit() or not isinstance(settings["value"], str):
            wrong.append(f"{where}: {kind}: value is a number as text")


def kubernetes():
    found = {}
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            where = f"{path.name}: {document['kind']} {document['metadata']['name']}"
            found[document["kind"], document["metadata"]["name"]] = document
            if document["apiVersion"].startswith("keda.sh/"):
                keda(document, where)
                if document["kind"] == "ScaledJob":
                    # What it starts is an ordinary Job.
                    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "spec": document["spec"]["jobTargetRef"]}
                    validate(job, where)
            else:
                validate(document, where)
    for (kind, name), document in found.items():
        if kind == "ScaledObject" and ("Deployment", document["spec"]["scaleTargetRef"]["name"]) not in found:
            wrong.append(f"ScaledObject {name} scales no Deployment of ours")


def validate(document, where):
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        wrong.append(f"{where}: {error.message} at {list(error.path)}")


def expressions():
    dashboard = json.loads((DEPLOY / "grafana/hirenet.json").read_text())
    used = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())
    used += [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    for expression in used:
        try:
            promql_parser.parse(expression)
        except ValueError as error:
            wrong.append(f"{expression}: {error}")
    ids = [panel["id"] for panel in dashboard["panels"]]
    if len(ids) != len(set(ids)):
        wrong.append("grafana: two panels have one id")


def unit():
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not installed: the unit was not checked")
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / UNIT.name
        # A program that exists: the unit names the place where an installation puts it.
        copy.write_text(UNIT.read_text().replace("/opt/hirenet/hirenet", os.environ.get("HIRENET_BIN", "/bin/true")))
        instance = f"{folder}/hirenet-worker@1.service"
        done = run("systemd-analyze", "verify", "--man=no", instance)
        # Of our unit: others on this machine may be wrong as well.
        wrong.extend(line for line in done.stderr.splitlines() if "hirenet-worker" in line and not done.returncode)
        run("systemd-analyze", "security", "--offline=true", f"--threshold={int(EXPOSURE * 10)}", str(copy))


for check in (yaml_files, containerfile, compose, kubernetes, expressions, unit):
    check()
print("\n".join(wrong) or "deploy/ is sound")
sys.exit(bool(wrong))
