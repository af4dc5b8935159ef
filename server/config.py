"""What an operator chooses, where each choice comes from, the data folder, and the port.

    flags  >  environment (CHECKPROOF_*)  >  one TOML file  >  defaults

The file is the one named by --config or CHECKPROOF_CONFIG, else checkproof.toml in the data folder,
else checkproof.toml here.  Its names are the fields of Config.  Folders in it are relative to it.

    read(flags)   the settings, with where each was found
"""

import errno
import fcntl
import os
import re
import socket
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from proofs.errors import NO_ADDRESS, shown_url
from server.errors import BadSetting, CannotListen, DataFolderBusy, NoFreePort

PORT_TRIES: Final = 50
MOST_WORKERS: Final = 16
"""More provers than that are started only for who asks for them."""
QUICKEST_FIRST: Final = ("pawn", "knight", "queen")
FILE_NAME: Final = "checkproof.toml"
PREFIX: Final = "CHECKPROOF_"
_FILE_VARIABLE: Final = PREFIX + "CONFIG"
_OTHER_VARIABLES: Final = (_FILE_VARIABLE, PREFIX + "URL")  # the second is for clients
_NEXT_MAY_DO: Final = (errno.EADDRINUSE, errno.EACCES)
# As a browser spells it: in small letters, no path, not even a slash.
_ORIGIN: Final = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?")

_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
# the order of secp256k1 (SEC 2, 2.4.1)
_KEY_LIMIT: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

Names = Annotated[tuple[str, ...], NoDecode]
"""Words; in the environment with commas between them."""


def processors() -> int:
    """How many this process may use, MOST_WORKERS at most."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(usable or 1, MOST_WORKERS))


def shipped_bots() -> tuple[str, ...]:
    """All bots of the package: the house nets, what is proven soonest first, then the others."""
    from engine.net import house_nets  # noqa: PLC0415  numpy, which few commands need
    from proofs.ezkl_bots import SHIPPED  # noqa: PLC0415

    nets = house_nets()
    first = [name for name in QUICKEST_FIRST if name in nets]
    return (*first, *(name for name in nets if name not in first), *SHIPPED)


class Config(BaseModel):
    """Settings of `checkproof serve`; seconds are seconds.

    `rpc` None starts a local chain in the data folder; `key` is the relayer's private key, which
    any other chain needs.  `origins` are further pages that may use the socket, `bots` the nets
    of the package that play here, the first at once.  `memory_mb` is what provers may take, None
    what is free.  `gas_per_day` None is no budget.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    data: Path = Path("data")
    rpc: str | None = None
    key: SecretStr | None = None
    workers: int = Field(default_factory=processors, ge=1, le=256)
    memory_mb: int | None = Field(default=None, ge=0)
    bots: Names = Field(default_factory=shipped_bots)
    origins: Names = ()
    exhibition: bool = False
    games: int = Field(default=500, ge=1)
    games_per_player: int = Field(default=8, ge=1)
    sockets: int = Field(default=2000, ge=1)
    sockets_per_address: int = Field(default=500, ge=1)
    behind_proxy: bool = False
    drain_seconds: float = Field(default=20, ge=0, le=3600)
    low_balance_moves: int = Field(default=200, ge=0)
    gas_per_day: int | None = Field(default=None, ge=0)
    log: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("bots", "origins", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Words with commas between them, each once."""
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, Iterable):
            return words
        return tuple(dict.fromkeys(w.strip() if isinstance(w, str) else w for w in words))

    @field_validator("bots")
    @classmethod
    def _some_bot(cls, bots: tuple[str, ...]) -> tuple[str, ...]:
        if not all(bots) or not bots:
            raise ValueError("name at least one bot")
        return bots

    @field_validator("origins")
    @classmethod
    def _spelt_like_a_browser(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin, such as https://chess.example")
        return origins

    @field_validator("rpc")
    @classmethod
    def _an_address(cls, rpc: str | None) -> str | None:
        if rpc is None:
            return None
        if not re.fullmatch(r"https?://\S+", rpc) or shown_url(rpc) == NO_ADDRESS:
            raise ValueError("a chain is reached at http://... or https://...")
        return rpc

    @field_validator("key")
    @classmethod
    def _a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            text = key.get_secret_value().removeprefix("0x")
            number = int(text, 16) if _KEY.fullmatch(text) else 0
            if not 0 < number < _KEY_LIMIT:
                raise ValueError("a private key is a number of 32 bytes in hex")
        return key

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ, **chosen: Any) -> Self:
        """What was chosen, then what the environment says, then the defaults; no file.

        A choice of None counts as none.  Raises BadSetting.
        """
        found = _from_environment(environment) | _chosen(chosen)
        return cls(**_checked(found, dict.fromkeys(found, "")).model_dump())

    @property
    def secrets(self) -> dict[str, str]:
        """What must not be printed, and what is printed instead."""
        hidden = {} if self.rpc is None else {self.rpc: shown_url(self.rpc)}
        if self.key is not None:
            hidden[self.key.get_secret_value()] = "(the key)"
            hidden[self.key.get_secret_value().removeprefix("0x")] = "(the key)"
        return hidden


@dataclass(frozen=True)
class Settings:
    """`found_in` says of each field where its value comes from."""

    config: Config
    found_in: dict[str, str]
    file: Path | None

    def lines(self) -> list[tuple[str, str, str]]:
        """Each setting as (name, value, origin), fit to be seen by anyone."""
        return [
            (name, _shown(name, getattr(self.config, name)), self.found_in[name])
            for name in Config.model_fields
        ]


def read(
    flags: Mapping[str, Any],
    *,
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings from all that there is.  `file` is the one asked for by a flag.

    A flag of None counts as not given.  Raises BadSetting, which names what is wrong and where.
    """
    chosen, around = _chosen(flags), _from_environment(environment)
    near = Path(chosen.get("data") or around.get("data") or Config().data)
    path = _find_file(file or _asked_for(environment), near)
    written = {} if path is None else _from_file(path)
    origins = dict.fromkeys(Config.model_fields, "default")
    origins |= {name: str(path) for name in written}
    origins |= {name: PREFIX + name.upper() for name in around}
    origins |= dict.fromkeys(chosen, "flag")
    config = _checked(written | around | chosen, origins)
    if path is not None and path == near / FILE_NAME and config.data != near:
        raise BadSetting(f"{path}: data: a file in the data folder cannot name another one")
    return Settings(config, origins, path)


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that look like settings and are none: slips of the pen, most likely."""
    known = {PREFIX + name.upper() for name in Config.model_fields} | {*_OTHER_VARIABLES}
    return sorted(n for n in environment if n.upper().startswith(PREFIX) and n.upper() not in known)


# --- sources ------------------------------------------------------------------------------------


class _Sources(Config, BaseSettings):
    """What pydantic-settings has to know of the fields; never made itself."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True)


class _Environment(EnvSettingsSource):
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._given = environment
        super().__init__(_Sources)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._given.items() if value}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    return dict(_Environment(environment)())


def _chosen(flags: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in flags.items() if value is not None}


def _asked_for(environment: Mapping[str, str]) -> Path | None:
    name = environment.get(_FILE_VARIABLE)
    return Path(name) if name else None


def _find_file(asked: Path | None, data: Path) -> Path | None:
    if asked is not None:
        if not asked.is_file():
            raise BadSetting(f"{asked}: there is no such file")
        return asked
    return next((p for p in (data / FILE_NAME, Path(FILE_NAME)) if p.is_file()), None)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        found = dict(TomlConfigSettingsSource(_Sources, path)())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path}: {error}") from None
    unknown = sorted(found.keys() - Config.model_fields.keys())
    if unknown:
        raise BadSetting(f"{path}: no setting is called {', '.join(unknown)}")
    if isinstance(found.get("data"), str):
        found["data"] = path.parent / found["data"]
    return found


def _checked(found: Mapping[str, Any], origins: Mapping[str, str]) -> Config:
    try:
        return Config.model_validate(dict(found))
    except ValidationError as error:
        # never the input: it may be the key
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = str(problem["loc"][0]) if problem["loc"] else "settings"
        what = problem["msg"].removeprefix("Value error, ")
        where = origins.get(name) or "settings"
        raise BadSetting(f"{where}: {name}: {what}") from None


def _shown(name: str, value: Any) -> str:
    match value:
        case None:
            return "-"
        case SecretStr():
            return "(set, not shown)"
        case tuple():
            return ", ".join(value) or "-"
        case str() if name == "rpc":
            return shown_url(value)
        case _:
            return str(value)


# --- the folder and the port --------------------------------------------------------------------


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Hold a data folder alone.  Raises DataFolderBusy while another process does.

    The system releases it when the process ends, however it ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataFolderBusy(folder.resolve()) from None
        yield


def held(folder: Path) -> bool:
    """Whether a process holds a data folder now."""
    try:
        with (folder / "lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on `port`, or on the next free one.  Raises NoFreePort, CannotListen."""
    last = min(port + PORT_TRIES - 1, 65535)
    for candidate in range(port, last + 1):
        try:
            return socket.create_server((host, candidate), backlog=256)
        except OSError as error:
            if error.errno not in _NEXT_MAY_DO:
                raise CannotListen(host, error.strerror or str(error)) from None
    raise NoFreePort(host, port, last)
