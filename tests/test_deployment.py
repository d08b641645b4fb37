"""Deployment files only name what exists: commands, options, settings, files, metrics."""

import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from conftest import ROOT
from soundalike.cli import cli
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.metrics import ConsumerMetrics
from soundalike.learning.spark.settings import check_properties
from soundalike.settings import load_settings

COMPOSE = ROOT / "compose.yaml"
DOCKERFILE = ROOT / "Dockerfile"
DEPLOY = ROOT / "deploy"
GUIDE = ROOT / "docs" / "deploy.md"
UNITS = sorted((DEPLOY / "systemd").iterdir())
OURS = {"web1", "web2", "consumer", "extract", "build", "spark-master", "spark-worker"}

_VARIABLE = re.compile(r"SOUNDALIKE_[A-Z_]*[A-Z]")
_PLACEHOLDER = re.compile(r"PORT|METRICS_PORT|%i")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"]
    return found


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """The Dockerfile, one instruction per line."""
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


def compose() -> dict[str, Any]:
    body: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return body


def assert_known(words: list[str]) -> None:
    """Fail unless the program accepts a command line: command, options and arguments."""
    command: click.Command = cli
    words = [_PLACEHOLDER.sub("8001", word) for word in words]
    while isinstance(command, click.Group):
        assert words, f"{command.name} needs a command"
        name, *words = words
        found = command.get_command(click.Context(command), name)
        assert found is not None, f"there is no command {name!r}"
        command = found
    try:
        command.make_context(command.name, list(words))
    except click.UsageError as error:
        pytest.fail(f"soundalike {command.name} {shlex.join(words)}: {error.format_message()}")


def settings_known() -> set[str]:
    """Return the variables that the program reads."""
    with pytest.raises(Exception, match="settings are") as caught:
        load_settings({"no setting": "x"}, {})
    names = str(caught.value).rpartition("settings are ")[2].split(", ")
    return {f"SOUNDALIKE_{name.upper()}" for name in names} | {"SOUNDALIKE_CONFIG"}


def test_a_command_line_that_is_unknown_fails() -> None:
    assert_known(["store", "copy", "A", "B"])
    for wrong in (
        ["serv"],
        ["serve", "--prot", "8000"],
        ["store", "copy", "A"],
        ["serve", "--port", "eight"],
    ):
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            assert_known(wrong)


class TestCompose:
    def test_every_service_exists(self, services: dict[str, Any]) -> None:
        assert set(services) == OURS | {"proxy", "mongodb", "kafka"}

    def test_every_command_is_known(self, services: dict[str, Any]) -> None:
        ours = {name: services[name]["command"] for name in OURS if "entrypoint" not in services[name]}
        assert len(ours) == 5
        for command in ours.values():
            assert_known(command)

    def test_every_setting_is_known_and_valid(self, services: dict[str, Any]) -> None:
        for name in OURS:
            environment = {key: str(value) for key, value in services[name].get("environment", {}).items()}
            assert set(environment) <= settings_known()
            settings = load_settings({"data": "/d"}, environment)
            check_properties(settings.spark)
            if settings.events is not None:
                place = KafkaAddress.parse(settings.events)
                assert place.servers == ("kafka:9092",)
                assert place.replication == 1
        assert load_settings({"data": "/d"}, services["consumer"]["environment"]).metrics_port == 9464

    def test_both_web_processes_share_their_data_and_key(self, services: dict[str, Any]) -> None:
        first, second = services["web1"], services["web2"]
        assert first == second
        assert first["env_file"] == "deploy/soundalike.env"
        assert "data:/var/lib/soundalike:ro" in first["volumes"]
        assert "data:/var/lib/soundalike" in services["build"]["volumes"]
        assert services["proxy"]["environment"]["WEBS"] == "web1:8000 web2:8000"

    def test_our_containers_can_only_change_their_volumes(self, services: dict[str, Any]) -> None:
        for name in OURS:
            assert services[name]["read_only"] is True
            assert services[name]["cap_drop"] == ["ALL"]
            assert services[name]["security_opt"] == ["no-new-privileges:true"]

    def test_only_the_proxy_publishes_ports(self, services: dict[str, Any]) -> None:
        networks = compose()["networks"]
        assert networks["inside"]["internal"] is True
        for name, service in services.items():
            assert ("ports" in service) == (name == "proxy")
            assert list(service["networks"]) == (["outside", "inside"] if name == "proxy" else ["inside"])

    def test_the_web_processes_name_the_proxy(self, services: dict[str, Any]) -> None:
        address = services["proxy"]["networks"]["inside"]["ipv4_address"]
        for name in ("web1", "web2"):
            assert services[name]["environment"]["SOUNDALIKE_PROXIES"] == address

    def test_dependencies_exist_and_have_health_checks(self, services: dict[str, Any]) -> None:
        for service in services.values():
            needed = service.get("depends_on", [])
            for name in needed:
                condition = needed[name]["condition"] if isinstance(needed, dict) else "service_started"
                assert condition == "service_started" or "healthcheck" in services[name]

    def test_mounted_files_and_build_targets_exist(self, services: dict[str, Any]) -> None:
        stages = set(re.findall(r"(?m)^FROM \S+ AS (\S+)$", DOCKERFILE.read_text(encoding="utf-8")))
        assert (DEPLOY / "soundalike.env.example").is_file()
        for service in services.values():
            if "build" in service:
                assert service["build"]["target"] in stages
                assert service["image"] == f"soundalike:{service['build']['target']}"
            for volume in service.get("volumes", []):
                if volume.startswith("./"):
                    assert (ROOT / volume.partition(":")[0]).is_file()


class TestDockerfile:
    def words(self, lines: list[str], instruction: str) -> list[list[str]]:
        found = [line.partition(" ")[2] for line in lines if line.startswith(f"{instruction} ")]
        return [yaml.safe_load(text[text.index("[") :]) for text in found]

    def test_it_starts_a_known_command(self, lines: list[str]) -> None:
        assert self.words(lines, "ENTRYPOINT") == [["soundalike"]]
        (command,) = self.words([line for line in lines if line.startswith("CMD")], "CMD")
        assert_known(command)

    def test_both_images_run_as_an_unprivileged_user(self, lines: list[str]) -> None:
        users = [line.split()[1] for line in lines if line.startswith("USER")]
        assert users == ["10001:10001", "0", "10001:10001"]
        assert lines.index("FROM base AS serve") > len(lines) - lines[::-1].index("USER 10001:10001") - 1

    def test_its_settings_are_known(self, lines: list[str]) -> None:
        assert set(_VARIABLE.findall("\n".join(lines))) <= settings_known()

    def test_every_package_but_ours_is_pinned_by_hash(self, lines: list[str]) -> None:
        installs = [
            part for line in lines for part in line.split("&&") if re.search(r"pip (install|wheel)", part)
        ]
        assert len(installs) == 6
        for install in installs:
            is_pinned = "--require-hashes --requirement" in install
            assert is_pinned or "--no-deps --no-index" in install or "--no-build-isolation" in install

    def test_copied_files_exist_and_are_in_the_build_context(self, lines: list[str]) -> None:
        ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        let_in = [line[1:] for line in ignored if line.startswith("!")]
        copied = [
            word
            for line in lines
            if line.startswith("COPY ") and "--from" not in line
            for word in line.split()[1:-1]
        ]
        assert len(copied) > 5
        for name in copied:
            assert (ROOT / name).exists()
            assert any(name == known or name.startswith(f"{known}/") for known in let_in), name

    def test_the_health_check_asks_the_port_that_is_served(self, lines: list[str]) -> None:
        (check,) = [line for line in lines if line.startswith("HEALTHCHECK")]
        assert "http://127.0.0.1:8000/healthz" in check
        assert load_settings({"data": "/d"}, {}).port == 8000

    def test_the_lock_files_have_the_packages_for_servers(self) -> None:
        for name, wanted in (
            ("deploy.txt", {"pymongo", "confluent-kafka", "prometheus-client"}),
            ("deploy-spark.txt", {"pymongo", "confluent-kafka", "pyspark", "pandas"}),
        ):
            lock = (ROOT / "requirements" / name).read_text(encoding="utf-8")
            assert wanted <= set(re.findall(r"(?m)^([a-z0-9-]+)==", lock))


class TestUnits:
    @pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
    def test_every_unit_starts_an_existing_command(self, unit: Path) -> None:
        text = unit.read_text(encoding="utf-8")
        assert set(_VARIABLE.findall(text)) <= settings_known()
        if unit.suffix == ".timer":
            assert unit.with_suffix(".service") in UNITS
            return
        commands = re.findall(r"(?m)^ExecStart=(.+)$", text)
        assert commands
        for command in commands:
            program, *words = shlex.split(command)
            if program == "/opt/soundalike/bin/soundalike":
                assert_known(words)
            else:
                assert (ROOT / Path(words[0]).relative_to("/opt/soundalike")).is_file()

    @pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
    def test_every_service_is_restricted(self, unit: Path) -> None:
        if unit.suffix == ".service":
            lines = unit.read_text(encoding="utf-8").splitlines()
            for line in ("User=soundalike", "NoNewPrivileges=yes", "ProtectSystem=strict", "UMask=0077"):
                assert line in lines


class TestSettings:
    @pytest.fixture
    def installed(self, tmp_path: Path) -> Path:
        """A folder with the examples, installed as the docs say."""
        for example in DEPLOY.glob("*.toml"):
            shutil.copy(example, tmp_path)
            (tmp_path / example.name).chmod(0o640)
        return tmp_path

    @pytest.mark.parametrize("name", ["soundalike.toml", "soundalike-managed.toml"])
    def test_an_example_is_valid(self, installed: Path, name: str) -> None:
        settings = load_settings({}, {}, installed / name)
        assert settings.data == Path("/var/lib/soundalike")
        check_properties(settings.spark)

    def test_the_managed_example_has_every_service(self, installed: Path) -> None:
        settings = load_settings({}, {}, installed / "soundalike-managed.toml")
        assert settings.events is not None
        assert KafkaAddress.parse(settings.events).replication == 3
        assert not settings.is_embedded
        assert settings.kafka["security.protocol"] == "SASL_SSL"
        assert settings.spark

    def test_commented_out_properties_are_valid_too(self) -> None:
        text = (DEPLOY / "soundalike-managed.toml").read_text(encoding="utf-8")
        shown = re.findall(r'(?m)^# ("[a-z.]+" = ".*?")', text)
        assert len(shown) == 6
        for line in shown:
            assert tomllib.loads(line)

    def test_variables_of_the_example_are_known(self) -> None:
        text = (DEPLOY / "soundalike.env.example").read_text(encoding="utf-8")
        assert set(re.findall(r"(?m)^(\w+)=", text)) <= settings_known()


class TestGuide:
    def lines(self, text: str) -> Iterator[list[str]]:
        """Yield every command line of the guide as words."""
        blocks = re.findall(r"(?ms)^```sh\n(.*?)^```", text)
        spans = re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```", "", text))
        for line in [*"\n".join(blocks).replace("\\\n", " ").splitlines(), *spans]:
            for part in line.split("&&"):
                yield shlex.split(part, comments=True) if part.count("'") % 2 == 0 else []

    def test_every_command_line_is_known(self, guide: str) -> None:
        found = 0
        for words in self.lines(guide):
            ours = [
                place
                for place, word in enumerate(words)
                if word == "/opt/soundalike/bin/soundalike" or (place == 0 and word == "soundalike")
            ]
            if ours and len(words) > ours[0] + 1:
                assert_known(words[ours[0] + 1 :])
                found += 1
        assert found > 15

    def test_every_service_that_is_run_exists(self, guide: str, services: dict[str, Any]) -> None:
        found = 0
        for words in self.lines(guide):
            if words[:3] != ["docker", "compose", "run"]:
                continue
            service, *command = [word for word in words[3:] if not word.startswith("--")]
            assert service in services
            if command:
                assert_known(command)
            found += 1
        assert found >= 3

    def test_every_setting_and_file_exists(self, guide: str) -> None:
        assert set(_VARIABLE.findall(guide)) <= settings_known()
        named = re.findall(r"`?((?:deploy|requirements|bench)/[\w./-]*\w)", guide)
        assert len(named) > 5
        for name in named:
            assert (ROOT / name).exists() or name == "deploy/soundalike.env", name

    def test_every_metric_is_one_of_a_consumer(self, guide: str) -> None:
        shown = {sample.name for metric in ConsumerMetrics().registry.collect() for sample in metric.samples}
        shown |= {metric.name for metric in ConsumerMetrics().registry.collect()}
        named = set(re.findall(r"`(soundalike_\w+)`", guide))
        assert len(named) >= 4
        assert named <= shown

    def test_its_links_have_targets(self, guide: str) -> None:
        headings = {
            re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"(?m)^#+ (.+)$", guide)
        }
        for target in re.findall(r"\]\(([^)]+)\)", guide):
            path, _, anchor = target.partition("#")
            assert (GUIDE.parent / path).exists() if path else anchor in headings, target
