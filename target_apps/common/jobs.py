"""Where a job goes that has failed too often: somebody has to look at it."""

from datetime import datetime

from sqlalchemy import Identity, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from target_apps.common.tables import Base


class FailedJob(Base):
    __tablename__ = "failed_jobs"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    job: Mapped[str]
    arguments: Mapped[dict[str, int]] = mapped_column(JSONB)
    failed_at: Mapped[datetime] = mapped_column(server_default=func.now())
