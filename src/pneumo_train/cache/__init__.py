"""Decoded films on disk: decoded once, mapped by every training that wants the same ones."""

from pneumo_train.cache.folder import CacheFolder, cache_folder
from pneumo_train.cache.loading import load_cached

__all__ = ["CacheFolder", "cache_folder", "load_cached"]
