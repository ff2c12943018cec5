"""Settings: command-line options, which are environment variables `STEPGRAPH_…` as well."""

from enum import StrEnum

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address of the server whose execution is watched, with or without `/graphql`.",
    )
