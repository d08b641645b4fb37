import shlex
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from soundalike.domain.errors import SettingsError
from soundalike.setting_values import without_secrets
from soundalike.settings import load_settings


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_has_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings({}, {})
    assert settings.host == "127.0.0.1"
    assert settings.engine == "auto"
    assert settings.artefacts == settings.data / "artefacts"


def test_flags_win_over_the_environment_over_the_file(tmp_path: Path) -> None:
    config = write(tmp_path / "soundalike.toml", 'port = 1001\nengine = "spark"\nworkers = 3\n')
    environment = {"SOUNDALIKE_PORT": "1002", "SOUNDALIKE_ENGINE": "local"}
    settings = load_settings({"port": 1003, "engine": None}, environment, config)
    assert (settings.port, settings.engine, settings.workers) == (1003, "local", 3)


def test_a_file_in_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "soundalike.toml", "port = 1234\n")
    monkeypatch.chdir(tmp_path)
    assert load_settings({}, {}).port == 1234


def test_every_error_is_reported_at_once(tmp_path: Path) -> None:
    config = write(tmp_path / "s.toml", 'prot = 1\nport = "x"\nengine = "gpu"\nallowed_hosts = 3\n')
    with pytest.raises(SettingsError) as caught:
        load_settings({"workers": 0}, {"SOUNDALIKE_FILE_TIMEOUT_S": "soon"}, config)
    for said in (
        "'prot' is not a setting",
        "port must be a whole",
        "'gpu'",
        "allowed_hosts",
        "SOUNDALIKE_FILE_TIMEOUT_S",
        "--workers",
    ):
        assert said in str(caught.value)


@pytest.mark.parametrize("text", ["port = ", "\x00", "port = 1\nport = 2"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"s\.toml is not TOML"):
        load_settings({}, {}, write(tmp_path / "s.toml", text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml cannot be read"):
        load_settings({}, {"SOUNDALIKE_CONFIG": str(tmp_path / "none.toml")})


@pytest.mark.parametrize("port", ["0", "65536", "-1", "8080.0", "\uff11", True, 1.5])
def test_a_port_is_a_port(port: object, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="port must be a whole number from 1 to 65535"):
        load_settings({"port": port, "data": tmp_path}, {})


def test_proxies_are_addresses_and_networks() -> None:
    given = {"SOUNDALIKE_PROXIES": "127.0.0.1, 172.18.0.0/16, 2001:db8::/32, ::1"}
    networks = ["127.0.0.1/32", "172.18.0.0/16", "2001:db8::/32", "::1/128"]
    assert [str(one) for one in load_settings({}, given).proxies] == networks


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("foo", "has 'foo', which is no IP address or network such as 172.18.0.0/16"),
        ("127.0.0.1:80", "has '127.0.0.1:80', which is no IP address or network such as 172.18.0.0/16"),
        (
            "fe80::1%eth0",
            "has 'fe80::1%eth0', an address of one interface; write it without what begins with %",
        ),
        (
            "172.18.0.5/16",
            "has '172.18.0.5/16', which is an address in a network: write 172.18.0.0/16 or 172.18.0.5",
        ),
    ],
)
def test_what_is_no_proxy_is_refused_with_what_to_write(given: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({}, {"SOUNDALIKE_PROXIES": given})
    (line,) = str(caught.value).splitlines()
    assert line.endswith(told)


def test_hosts_are_names_without_scheme_or_port() -> None:
    assert load_settings({}, {"SOUNDALIKE_ALLOWED_HOSTS": "Music.lan, nas"}).allowed_hosts == {
        "music.lan",
        "nas",
    }
    with pytest.raises(SettingsError, match="not a host name"):
        load_settings({}, {"SOUNDALIKE_ALLOWED_HOSTS": "http://nas:80"})


def test_roots_may_be_elsewhere_on_this_machine(tmp_path: Path) -> None:
    config = write(tmp_path / "s.toml", f'[roots]\nMusic = "{tmp_path}"\n')
    assert load_settings({}, {}, config).roots == {"Music": tmp_path.resolve()}


def test_the_variables_of_others_are_left_alone(tmp_path: Path) -> None:
    others = {"SOUNDALIKE_TEST_MONGODB": "mongodb://localhost"}
    assert load_settings({"data": tmp_path}, others) == load_settings({"data": tmp_path}, {})


@pytest.fixture
def _homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user without a home, as in a container that runs under any number."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)


@pytest.mark.usefixtures("_homeless")
def test_who_has_no_home_names_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings({"data": tmp_path}, {}).database == tmp_path / "library.sqlite"
    with pytest.raises(SettingsError, match="name a folder with --data"):
        load_settings({}, {})


def test_a_folder_of_settings_that_may_not_be_looked_into_holds_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ("x" * 300)))  # as good as barred, for root too
    assert load_settings({"data": tmp_path}, {}).port == 8000


def test_the_secret_key_is_never_shown() -> None:
    key = "a secret of sixteen bytes"
    settings = load_settings({"data": "d"}, {"SOUNDALIKE_SECRET_KEY": key})
    assert settings.secret_key == key
    assert key not in repr(settings)
    with pytest.raises(
        SettingsError, match="SOUNDALIKE_SECRET_KEY: secret_key must be a text of 16"
    ) as caught:
        load_settings({"data": "d"}, {"SOUNDALIKE_SECRET_KEY": "too short"})
    assert "too short" not in str(caught.value)


@pytest.mark.parametrize("days", ["0", "-1", "x", "7.5"])
def test_the_bound_on_lateness_is_whole_days(days: str) -> None:
    with pytest.raises(SettingsError, match="lateness_days must be a whole number"):
        load_settings({"data": "d"}, {"SOUNDALIKE_LATENESS_DAYS": days})


@pytest.mark.parametrize("name", ["decoder_silence_s", "file_timeout_s"])
def test_the_silence_of_a_decoder_has_its_name_of_before_too(name: str, tmp_path: Path) -> None:
    config = write(tmp_path / "s.toml", f"{name} = 600\n")
    assert load_settings({}, {}, config).decoder_silence_s == 600
    assert load_settings({"data": "d"}, {f"SOUNDALIKE_{name.upper()}": "7"}).decoder_silence_s == 7
    with pytest.raises(SettingsError, match=f"{name} must be a whole number from 1"):
        load_settings({"data": "d"}, {f"SOUNDALIKE_{name.upper()}": "0"})


def test_of_two_names_of_a_setting_the_new_one_counts(tmp_path: Path) -> None:
    config = write(tmp_path / "s.toml", "decoder_silence_s = 5\nfile_timeout_s = 600\n")
    assert load_settings({}, {}, config).decoder_silence_s == 5
    both = {"SOUNDALIKE_FILE_TIMEOUT_S": "600", "SOUNDALIKE_DECODER_SILENCE_S": "5"}
    assert load_settings({"data": "d"}, both).decoder_silence_s == 5


SECRET = "hunter2-hunter2-hunter2"  # noqa: S105 - of nobody


@pytest.mark.parametrize("store", ["mongodb://h/d", "mongodb+srv://u:p@h/d?w=1"])
def test_a_connection_string_names_a_store(store: str) -> None:
    settings = load_settings({"store": store}, {})
    assert settings.store == store
    assert not settings.is_embedded


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("store", "MongoDB://U:Pw@H/D?W=1", "mongodb://U:Pw@H/D?W=1"),
        ("store", " MONGODB+SRV://h/d", "mongodb+srv://h/d"),
        ("events", "KAFKA://H:9092/T?group=G", "kafka://H:9092/T?group=G"),
        ("snapshots", "S3A://Bucket/Folder", "s3a://Bucket/Folder"),
    ],
)
def test_a_scheme_may_be_written_in_capitals(name: str, given: str, taken: str) -> None:
    assert getattr(load_settings({name: given}, {}), name) == taken


@pytest.mark.parametrize(
    "name",
    [
        "music.sqlite",
        "mongodb.sqlite",
        "mongodb/music.sqlite",
        "rock/80:90.sqlite",
        "rock:pop.sqlite",
        "./127.0.0.1:27017",
        "ann@home.sqlite",
    ],
)
def test_a_path_names_an_sqlite_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings({}, {"SOUNDALIKE_STORE": name})
    assert settings.is_embedded
    assert settings.database == tmp_path / name
    assert settings.store_name == str(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("store", f"postgres://u:{SECRET}@h/d"),
        ("store", f"mongodb:/u:{SECRET}@h/d"),
        ("store", f"mongodb//u:{SECRET}@h/d"),
        ("store", f"MongoDB+srv:u:{SECRET}@h/d"),
        ("store", f"u:{SECRET}@h"),
        ("store", f" u:{SECRET}/:{SECRET}@h/d"),
        ("store", f"h:27017/{SECRET}"),
        ("events", f"u:{SECRET}@h:9092/t"),
        ("events", f"amqp://u:{SECRET}@h/t"),
        ("snapshots", f"ftp://u:{SECRET}@h/t"),
        ("kafka", f"sasl.password {SECRET}"),
        ("spark", f"a b={SECRET}"),
        ("metrics_port", "0"),
    ],
)
def test_what_is_malformed_is_named_and_no_secret_is_shown(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"SOUNDALIKE_{name.upper()}: {name} ") as caught:
        load_settings({}, {f"SOUNDALIKE_{name.upper()}": value})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:48051/x",
        "db:27017",
        "db:27017/",
        "db:1,db:2/x?w=1",
        "[::1]:27017/x",
        "ann@db:27017/x",
        "u:p@db",
    ],
)
def test_an_address_without_its_scheme_is_no_path(address: str) -> None:
    with pytest.raises(
        SettingsError, match="looks like a server's address; write mongodb:// before"
    ) as caught:
        load_settings({"store": address}, {})
    assert address not in str(caught.value)


def test_what_is_wrong_with_the_event_log_is_said_first() -> None:
    with pytest.raises(SettingsError, match="settings: --events: events does not begin with kafka://; "):
        load_settings({"events": "broker:9092/listens"}, {})


def test_properties_come_from_a_table_or_from_pairs(tmp_path: Path) -> None:
    config = write(
        tmp_path / "s.toml", '[kafka]\n"security.protocol" = "SASL_SSL"\n"socket.keepalive.enable" = true\n'
    )
    assert load_settings({}, {}, config).kafka == {
        "security.protocol": "SASL_SSL",
        "socket.keepalive.enable": "true",
    }
    environment = {"SOUNDALIKE_SPARK": "spark.jars=/a.jar,/b.jar; spark.executor.memory = 2g\nspark.x=a=b;"}
    assert load_settings({}, environment).spark == {
        "spark.jars": "/a.jar,/b.jar",
        "spark.executor.memory": "2g",
        "spark.x": "a=b",
    }


def test_a_property_with_dots_that_are_not_quoted_is_explained(tmp_path: Path) -> None:
    config = write(tmp_path / "s.toml", '[kafka]\nsecurity.protocol = "SSL"\n')
    with pytest.raises(SettingsError, match="write names with dots in quotes"):
        load_settings({}, {}, config)


def test_settings_that_may_hold_secrets_are_not_shown() -> None:
    settings = load_settings(
        {},
        {
            "SOUNDALIKE_STORE": f"mongodb://u:{SECRET}@h/d",
            "SOUNDALIKE_EVENTS": "kafka://h/t",
            "SOUNDALIKE_KAFKA": f"sasl.password={SECRET}",
            "SOUNDALIKE_SPARK": f"spark.hadoop.fs.s3a.secret.key={SECRET}",
            "SOUNDALIKE_SECRET_KEY": SECRET,
        },
    )
    assert SECRET not in repr(settings)
    assert settings.store_name == "mongodb://h/d"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb://h", "mongodb://h"),
        (f"mongodb://u:{SECRET}@h1:1,h2:2/d?authSource={SECRET}", "mongodb://h1:1,h2:2/d"),
        (f"mongodb+srv://u:{SECRET}/{SECRET}@h/d", "mongodb+srv://h/d"),
        (f"mongodb://u:{SECRET}?{SECRET}@h/d", "mongodb://h/d"),
    ],
)
def test_an_address_is_shown_without_secrets(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


EXPOSED = [
    ("secret_key", f'secret_key = "{SECRET}"'),
    ("store", f'store = "mongodb://u:{SECRET}@h/d"'),
    ("store", f'store = "mongodb://u:{SECRET}/@/{SECRET}@h/d"'),
    ("kafka.sasl.password", f'[kafka]\n"sasl.password" = "{SECRET}"'),
    ("kafka.sasl.password", f'[kafka]\nsasl.password = "{SECRET}"'),
    ("kafka.ssl.key.pem", f'[kafka]\n"ssl.key.pem" = "{SECRET}"'),
    ("kafka.sasl.password", f'kafka = "security.protocol=SASL_SSL; sasl.password={SECRET}"'),
    ("spark.spark.hadoop.fs.s3a.secret.key", f'[spark]\n"spark.hadoop.fs.s3a.secret.key" = "{SECRET}"'),
    ("spark.spark.jaas.x", f'[spark]\n"spark.jaas.x" = "{SECRET}"'),
    ("spark.spark.mongodb.uri", f'[spark]\n"spark.mongodb.uri" = "mongodb://u:{SECRET}@h/d"'),
]


@pytest.mark.parametrize(("name", "text"), EXPOSED)
def test_a_file_with_secrets_that_everybody_may_read_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, name: str, text: str
) -> None:
    config = write(tmp_path / "my settings.toml", text)
    config.chmod(0o644)
    with pytest.raises(SettingsError, match="everybody on this machine may read it") as caught:
        load_settings({}, {}, config)
    assert f"has secrets ({name})" in str(caught.value)
    assert SECRET not in str(caught.value)
    command = str(caught.value).partition("run: ")[2]
    subprocess.run(shlex.split(command), check=True)
    assert config.stat().st_mode & 0o777 == 0o640
    with suppress(SettingsError):  # what is wrong with its values is another matter
        load_settings({}, {}, config)


@pytest.mark.parametrize(
    "text",
    [
        'store = "mongodb://h1:27017,h2:27017/d?replicaSet=rs0"',
        'store = "mongodb://u@h/d?authMechanism=MONGODB-X509"',
        'events = "kafka://h:9092/t?partitions=8"',
        '[kafka]\n"ssl.key.location" = "/etc/key"\n"sasl.username" = "u"',
        '[spark]\n"spark.executor.memory" = "4g"',
        'master = "spark://h:7077"\nport = 8001',
    ],
)
def test_a_file_without_secrets_may_be_read_by_everybody(tmp_path: Path, text: str) -> None:
    config = write(tmp_path / "s.toml", text)
    config.chmod(0o644)
    load_settings({}, {}, config)


def test_a_file_in_the_current_folder_is_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "soundalike.toml", f'secret_key = "{SECRET}"\nport = 0').chmod(0o604)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="chmod o-r"):
        load_settings({}, {})
