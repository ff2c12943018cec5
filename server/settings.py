"""Settings: command-line options, which are environment variables `STEPGRAPH_…` as well."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from server.operations.documents import Runs
from server.trust.hosts import checked_host
from server.trust.origins import checked_origin


class Auth(StrEnum):
    """How it is known who asks."""

    NONE = "none"
    JWT = "jwt"


class Settings(BaseSettings):
    """How this process runs. The table in `docs/configuration.md` is made of these fields."""

    model_config = SettingsConfigDict(env_prefix="STEPGRAPH_", frozen=True, extra="ignore")

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    database: str = Field(
        default="sqlite+aiosqlite:///stepgraph.db",
        description="Database: `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://USER@HOST/DATABASE`.",
    )
    broadcast: str = Field(
        default="memory://",
        description=(
            "Broadcast channel between server processes: `memory://` (one process), `redis://HOST:PORT`, "
            "`postgresql://USER@HOST/DATABASE` or `kafka://HOST:PORT`."
        ),
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Server processes on the one address; more than 1 need a broadcast channel that they share.",
    )
    shutdown_delay: int = Field(
        default=0,
        ge=0,
        le=600,
        description=(
            "Seconds for which a process that is told to end serves on, while `/readyz` says so: as long as a proxy needs "
            "to notice."
        ),
    )
    metrics: bool = Field(default=True, description="Serve `/metrics` for Prometheus.")
    traces: bool = Field(
        default=False,
        description="Send traces to a collector of OpenTelemetry, which the variables `OTEL_…` name.",
    )
    log: Literal["text", "json"] = Field(
        default="text",
        description="What the log is written as: `text`, of faults only, or `json`, a line for every operation too.",
    )
    auth: Auth = Field(
        default=Auth.NONE,
        description="Who may ask: `none` (everybody may do everything, on loopback only) or `jwt` (bearer tokens).",
    )
    jwt_issuer: str = Field(default="", description="What a token's claim `iss` must be.")
    jwt_audience: str = Field(default="", description="What must be in a token's claim `aud`.")
    jwt_secret: str = Field(
        default="",
        repr=False,
        description="Secret of at least 32 bytes that tokens are signed with (HS256).",
    )
    jwt_jwks_url: str = Field(
        default="", description="URL of the issuer's key set (JWKS), where there is no secret."
    )
    jwt_algorithms: str = Field(
        default="",
        description=(
            "Algorithms that are allowed, with commas between; empty: `HS256` with a secret, `RS256,ES256` with a key set."
        ),
    )
    jwt_refresh: int = Field(
        default=300,
        ge=1,
        le=86_400,
        description="Seconds after which the key set is fetched again; so long a withdrawn key is trusted at most.",
    )
    insecure_allow_public: bool = Field(
        default=False,
        description="Listen on other addresses than loopback though everybody may do everything.",
    )
    demo: bool = Field(default=False, description="Load the demo templates at start; those that exist stay.")
    demo_executions: bool = Field(
        default=False,
        description="Load the demo templates, and make executions of them in every status unless they are there.",
    )
    documents: Runs = Field(
        default=Runs.ANY,
        description=(
            "Which documents are run: `any`, or only the `trusted` ones, of `frontend_queries/` and the directory of "
            "documents."
        ),
    )
    documents_dir: Path | None = Field(
        default=None,
        description="Directory of more documents that clients may name: `.graphql` files and manifests (`.json`).",
    )
    origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description=(
            "Origins whose web pages may use the server beside its own, such as `https://app.example`, with commas "
            "between them."
        ),
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description=(
            "Names under which the server may be reached beside those of loopback and that of `--host`, such as "
            "`api.example`, with commas between them. Empty: no others with `--auth none` on loopback, else any."
        ),
    )
    console: bool = Field(default=True, description="Serve the console at `/`.")
    graphiql: bool = Field(default=True, description="Serve the GraphiQL page.")
    introspection: bool = Field(default=True, description="Answer `__schema` and `__type`.")
    suggestions: bool = Field(
        default=True,
        description="Name what a mistaken field, argument or value may mean; never where introspection is off.",
    )
    url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address of the server that is watched or published on, with or without `/graphql`.",
    )

    token: str = Field(
        default="",
        repr=False,
        description="Bearer token that is shown to the server; by the variable, since everybody on a machine sees options.",
    )
    token_file: Path | None = Field(
        default=None,
        description="File with that token, read anew for each connection; outranks the token itself.",
    )

    @field_validator("origins", "allowed_hosts", mode="before")
    @classmethod
    def _split_list(cls, value: Any) -> Any:
        """The command line and the environment have one text."""
        if not isinstance(value, str):
            return value
        return [part.strip() for part in value.split(",") if part.strip()]

    @field_validator("origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(checked_origin, value))

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(checked_host, value))


def shown(value: object) -> str:
    """A setting's value as help and tables have it."""
    match value:
        case bool():
            return "on" if value else "off"
        case None | () | "":
            return "none"
    return str(value)
