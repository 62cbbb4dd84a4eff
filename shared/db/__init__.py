"""PostgreSQL: connections as a service's own role, units of work, reads of projections that lag."""

from shared.db.database import Database
from shared.db.eventually import eventually
from shared.db.unit_of_work import UnitOfWork

__all__ = ["Database", "UnitOfWork", "eventually"]
