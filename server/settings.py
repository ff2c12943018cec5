"""Settings: command-line options, which are environment variables `STEPGRAPH_…` as well."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    metrics: Literal["on", "off"] = Field(
        default="on", description="Whether `/metrics` tells Prometheus how the server does: `on` or `off`."
    )
    log: Literal["text", "json"] = Field(
        default="text",
        description="What the log is written as: `text`, of faults only, or `json`, a line for every operation too.",
    )
    demo: bool = Field(default=False, description="Load the demo templates at start; those that exist stay.")
    url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address of the server whose execution is watched, with or without `/graphql`.",
    )
