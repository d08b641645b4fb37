from pathlib import Path

import pytest

from soundalike.domain.errors import EngineError
from soundalike.learning.spark.mongo import CONNECTOR
from soundalike.learning.spark.settings import (
    check_properties,
    fixed_properties,
    is_local,
    is_on_this_machine,
    own_properties,
    secrets_of,
    write_properties,
)

CLUSTER = "spark://far.example:7077"


@pytest.mark.parametrize("name", ["spark.master", "spark.submit.deployMode", "spark.remote"])
def test_a_property_that_has_a_setting_is_rejected(name: str) -> None:
    with pytest.raises(EngineError, match=f"may not have '{name}'") as caught:
        check_properties({name: "hidden-word"})
    assert "hidden-word" not in str(caught.value)


def test_a_property_that_is_not_sparks_is_rejected() -> None:
    with pytest.raises(EngineError, match=r"name number \d in the setting 'spark' is not one of"):
        check_properties({"executor.memory": "1g"})


def test_the_users_properties_win_over_the_defaults(tmp_path: Path) -> None:
    given = {"spark.app.name": "mine", "spark.driver.memory": "9g", "spark.driver.host": "me.example"}
    found = own_properties("spark://127.0.0.1:7077", given, folder=tmp_path)
    assert {name: found[name] for name in given} == given


def test_properties_that_results_depend_on_cannot_be_changed(tmp_path: Path) -> None:
    found = own_properties(CLUSTER, {"spark.sql.files.ignoreCorruptFiles": "true"}, folder=tmp_path)
    assert found["spark.sql.files.ignoreCorruptFiles"] == "false"


def test_default_java_options_are_kept_with_the_users(tmp_path: Path) -> None:
    options = own_properties(CLUSTER, {"spark.driver.extraJavaOptions": "-Dx=1"}, folder=tmp_path)
    assert options["spark.driver.extraJavaOptions"].endswith(f'"-Djava.io.tmpdir={tmp_path}" -Dx=1')


def test_secret_values_are_recognised_by_their_names() -> None:
    given = {"spark.hadoop.fs.s3a.secret.key": "one", "spark.ssl.keyPassword": "two", "spark.app.name": "x"}
    assert secrets_of(given) == ("one", "two")


def test_the_pattern_of_secrets_can_only_be_widened() -> None:
    ours = fixed_properties(None)["spark.redaction.regex"]
    assert fixed_properties("(?i)mine")["spark.redaction.regex"] == f"((?i)mine)|({ours})"


def test_the_connector_is_fetched_unless_its_jars_are_given(tmp_path: Path) -> None:
    def packages(**given: str) -> str | None:
        properties = {f"spark.{name}": value for name, value in given.items()}
        settings = own_properties(CLUSTER, properties, folder=tmp_path, has_mongodb=True)
        return settings.get("spark.jars.packages")

    assert packages() == CONNECTOR
    assert packages(jars="/jars/connector.jar") is None
    assert packages(**{"jars.packages": "other:one:1"}) == "other:one:1"
    assert "spark.jars.packages" not in own_properties(CLUSTER, {}, folder=tmp_path)
    assert "spark.jars.packages" not in own_properties("local[*]", {}, folder=tmp_path, has_mongodb=True)


def test_nothing_of_this_machine_is_sent_to_a_remote_cluster(tmp_path: Path) -> None:
    found = own_properties(CLUSTER, {}, folder=tmp_path)
    assert not {"spark.driver.host", "spark.driver.bindAddress", "spark.local.dir"} & found.keys()


def test_a_file_of_properties_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "spark.properties"
    write_properties({"spark.a b": "c=d\n é"}, file)
    assert file.stat().st_mode & 0o777 == 0o600
    # As `java.util.Properties` reads it: what is no ASCII letter or digit is given by its code.
    assert file.read_text(encoding="ascii") == (r"spark\u002ea\u0020b=c\u003dd\u000a\u0020\u00e9" "\n")


@pytest.mark.parametrize(
    ("master", "is_here", "is_one_process"),
    [
        ("local", True, True),
        ("local[*]", True, True),
        ("local-cluster[2,1,1024]", True, False),
        ("spark://localhost:7077", True, False),
        ("spark://localhost.example:7077", False, False),
        ("yarn", False, False),
    ],
)
def test_it_is_known_where_executors_run(master: str, *, is_here: bool, is_one_process: bool) -> None:
    assert (is_on_this_machine(master), is_local(master)) == (is_here, is_one_process)
