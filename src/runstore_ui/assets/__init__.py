"""Styles and scripts: ours as they are written, and those of others in ``vendor`` with a manifest. Nothing is built."""

from runstore_ui.assets.files import Asset, address_of, find_asset

__all__ = ["Asset", "address_of", "find_asset"]
