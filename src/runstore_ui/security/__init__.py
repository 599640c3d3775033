"""Who is answered, and what a browser may do with the answer."""

from runstore_ui.security.guard import Guard
from runstore_ui.security.headers import lasting, nonce_of
from runstore_ui.security.hosts import is_loopback

__all__ = ["Guard", "is_loopback", "lasting", "nonce_of"]
