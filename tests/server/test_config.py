"""Settings, the data folder's lock, ports."""

import socket
from pathlib import Path

import pytest

from server.app import page_folder
from server.config import PORT_TRIES, Config, hold_folder, listen
from server.errors import CannotListen, DataFolderBusy, NoFreePort
from server.house import bot_name, metadata
from server.make_key import MadeKey


def test_a_choice_goes_before_the_environment_and_that_before_the_default() -> None:
    environment = {"CHECKPROOF_PORT": "9000", "CHECKPROOF_DATA": "/x", "CHECKPROOF_KEY": ""}
    config = Config.of(environment, port=9001, rpc=None)
    assert (config.port, config.data, config.key, config.rpc) == (9001, Path("/x"), None, None)
    assert Config.of(environment).port == 9000
    assert Config.of({}) == Config()
    with pytest.raises(ValueError, match="many"):
        Config.of({"CHECKPROOF_PORT": "many"})


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


def test_a_made_key_is_read_back() -> None:
    assert MadeKey.from_json(b'{"keyHash": "ab", "constraints": 3}\n') == MadeKey("ab", 3)
