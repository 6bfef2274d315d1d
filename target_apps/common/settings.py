"""What the shop's services read from their environment."""

from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, make_url


class Settings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True)

    database_url: str = "postgresql://postgres@localhost:5432/shop"
    upstream_url: str = "http://localhost:9000"
    query_s: float = 0.0
    pool_size: int = 5
    pool_timeout_s: float = 30.0

    @property
    def sync_url(self) -> URL:
        """For `create_engine`: the database through psycopg."""
        return make_url(self.database_url).set(drivername="postgresql+psycopg")

    @property
    def async_url(self) -> URL:
        """For `create_async_engine`: the database through asyncpg, which calls libpq's `sslmode` plain `ssl`."""
        url = make_url(self.database_url).set(drivername="postgresql+asyncpg")
        if "sslmode" in url.query:
            url = url.update_query_dict({"ssl": url.query["sslmode"]}).difference_update_query(["sslmode"])
        return url


settings = Settings()
