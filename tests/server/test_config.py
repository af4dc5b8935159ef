"""Settings, the data folder's lock, ports."""

import os
import re
import socket
from pathlib import Path

import pytest

from proofs.errors import ChainDown
from server.app import page_folder
from server.config import (
    MOST_WORKERS,
    PORT_TRIES,
    Config,
    hold_folder,
    listen,
    read,
    unknown_variables,
)
from server.errors import BadSetting, CannotListen, DataFolderBusy, NoFreePort
from server.house import bot_name, metadata


def test_a_choice_goes_before_the_environment_and_that_before_the_default() -> None:
    environment = {"CHECKPROOF_PORT": "9000", "CHECKPROOF_DATA": "/x", "CHECKPROOF_KEY": ""}
    config = Config.of(environment, port=9001, rpc=None)
    assert (config.port, config.data, config.key, config.rpc) == (9001, Path("/x"), None, None)
    assert Config.of(environment).port == 9000
    assert Config.of({}) == Config()
    with pytest.raises(BadSetting, match=r"port: .*integer"):
        Config.of({"CHECKPROOF_PORT": "many"})


def test_a_flag_goes_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "checkproof.toml").write_text("port = 1\nworkers = 2\ngames = 3\n")
    environment = {"CHECKPROOF_PORT": "4", "CHECKPROOF_WORKERS": "5", "CHECKPROOF_RPC": ""}
    settings = read({"port": 6, "data": tmp_path, "rpc": None}, environment=environment)
    config, found_in = settings.config, settings.found_in
    assert (config.port, config.workers, config.games, config.rpc) == (6, 5, 3, None)
    assert (found_in["port"], found_in["workers"]) == ("flag", "CHECKPROOF_WORKERS")
    assert found_in["games"] == str(tmp_path / "checkproof.toml")
    assert found_in["host"] == "default"


def test_the_file_is_the_one_asked_for_then_the_folders_then_the_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, port in (("here", 1), ("data", 2), ("asked", 3), ("named", 4)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "checkproof.toml").write_text(f"port = {port}\n")
    monkeypatch.chdir(tmp_path / "here")
    data, asked = tmp_path / "data", tmp_path / "asked" / "checkproof.toml"
    named = {"CHECKPROOF_CONFIG": str(tmp_path / "named" / "checkproof.toml")}
    assert read({"data": data}, file=asked, environment=named).config.port == 3
    assert read({"data": data}, environment=named).config.port == 4
    assert read({"data": data}, environment={}).config.port == 2
    assert read({"data": tmp_path / "none"}, environment={}).config.port == 1
    with pytest.raises(BadSetting, match="there is no such file"):
        read({}, file=tmp_path / "nowhere.toml", environment={})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prot = 8000\nworker = 1", "no setting is called prot, worker"),
        ("[serve]\nport = 1", "no setting is called serve"),
        ("port = ", "Invalid value"),
        ('log = "xml"', "log: Input should be 'text' or 'json'"),
        ("port = 70000", "port: "),
        ("gas_per_day = -1", "gas_per_day: "),
        ('rpc = "ftp://x"', "rpc: a chain is reached at"),
        ('rpc = "http://x:y"', "rpc: a chain is reached at"),
        ("bots = []", "bots: name at least one bot"),
        ("bots = 7", "bots: "),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "checkproof.toml").write_text(text)
    with pytest.raises(BadSetting, match=re.escape(says)) as caught:
        read({"data": tmp_path}, environment={})
    assert str(tmp_path / "checkproof.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_in_the_data_folder_names_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "checkproof.toml").write_text('data = "elsewhere"')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadSetting, match="cannot name another one"):
        read({}, environment={})


def test_a_folder_in_the_file_is_meant_from_there(tmp_path: Path) -> None:
    path = tmp_path / "arena.toml"
    path.write_text('data = "games"\nbots = ["pawn"]\norigins = "http://a,http://b"\n')
    config = read({}, file=path, environment={"CHECKPROOF_BOTS": "pawn, pawn"}).config
    assert (config.data, config.bots) == (tmp_path / "games", ("pawn",))
    assert config.origins == ("http://a", "http://b")


@pytest.mark.parametrize("key", ["5ecret", "0x" + "00" * 32, "0x" + "ff" * 32, "5e" * 33, "0x"])
def test_a_key_that_is_none_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(BadSetting, match="CHECKPROOF_KEY: key: a private key is") as caught:
        read({}, environment={"CHECKPROOF_KEY": key})
    assert key not in str(caught.value).replace("0x", "") or key == "0x"


def test_slips_of_the_pen_in_the_environment_are_found() -> None:
    names = ("CHECKPROOF_PROT", "CHECKPROOF_PORT", "CHECKPROOF_CONFIG", "CHECKPROOF_URL", "HOME")
    assert unknown_variables(dict.fromkeys(names, "x")) == ["CHECKPROOF_PROT"]


def test_no_secret_is_shown(tmp_path: Path) -> None:
    key, rpc = "0x" + "5e" * 32, "https://user:word@node.example:8545/v3/hunter2?key=hunter3"
    settings = read({"key": key, "rpc": rpc, "data": tmp_path}, environment={})
    shown = repr(settings).replace(rpc, "") + str(settings.lines())
    assert key not in shown
    assert "hunter" not in shown
    assert "word" not in shown
    assert ("rpc", "https://node.example:8545/…", "flag") in settings.lines()
    assert "hunter" not in str(ChainDown(rpc, "no answer"))
    assert settings.config.secrets[key] == "(the key)"
    with pytest.raises(BadSetting) as caught:
        read({"key": 7, "data": tmp_path}, environment={})
    assert "7" not in str(caught.value)


@pytest.mark.parametrize(
    "origin", ["chess.example", "https://chess.example/", "HTTPS://chess.example", "http://a;b", ""]
)
def test_an_origin_that_no_browser_names_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        Config.of({}, origins=("http://localhost:3000", origin))


def test_origins_and_bots_are_taken_as_they_are_meant() -> None:
    origins = ("https://chess.example", "http://[::1]:8000", "http://127.0.0.1:8000")
    config = Config.of({}, origins=origins, bots=("pawn", "pawn"))
    assert (config.origins, config.bots) == (origins, ("pawn",))


def test_a_data_folder_has_one_server(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    with hold_folder(folder):
        with pytest.raises(DataFolderBusy) as caught, hold_folder(folder):
            pass
        assert str(folder) in str(caught.value)
        assert "\n" not in str(caught.value)
    with hold_folder(folder):
        pass


def test_a_busy_port_gives_the_next_free_one() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with listen("127.0.0.1", port) as second:
            assert port < second.getsockname()[1] < port + PORT_TRIES


def test_no_port_at_all_is_one_clear_line() -> None:
    with listen("127.0.0.1", 65535), pytest.raises(NoFreePort, match="from 65535 to 65535"):
        listen("127.0.0.1", 65535)


@pytest.mark.parametrize("host", ["198.51.100.1", "::1"])
def test_a_host_that_cannot_be_had_is_no_matter_of_ports(host: str) -> None:
    with pytest.raises(CannotListen, match=f"cannot listen on {host}: "):
        listen(host, 8000)  # not our address (RFC 5737); only IPv4 is listened on


def test_listening_twice_in_a_row_works() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()
        first.accept()[0].close()
    with listen("127.0.0.1", port) as again:
        assert again.getsockname()[1] == port


def test_the_page_is_found() -> None:
    assert (page_folder() / "index.html").is_file()


def test_a_bots_name_comes_from_its_metadata() -> None:
    assert bot_name(metadata("pawn")) == "pawn"
    for text in ("", "{", "[]", "7", '{"name": 7}', '{"name": "a\\u0000b"}', "{}"):
        assert bot_name(text) == "unnamed"
    assert len(bot_name(metadata("x" * 1000))) == 40


def test_all_shipped_bots_play_what_is_proven_soonest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Config.of({}).bots[0] == "pawn"
    assert Config.of({}).bots[-1] == "rook"
    monkeypatch.setattr("engine.net.house_nets", lambda: ("knight", "novel", "pawn", "queen"))
    assert Config.of({}).bots == ("pawn", "knight", "queen", "novel", "rook")


def test_there_is_a_prover_for_each_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(3)), raising=False)
    assert Config.of({}).workers == 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(99)), raising=False)
    assert Config.of({}).workers == MOST_WORKERS
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert Config.of({}).workers == 1
