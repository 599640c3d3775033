"""The way to the server: what a URL says, one client a process, retries, and errors in our words."""

from runstore_mongo.connection.client import ConflictingWriteError, Connection, ResultT, Session, is_duplicate

__all__ = ["ConflictingWriteError", "Connection", "ResultT", "Session", "is_duplicate"]
