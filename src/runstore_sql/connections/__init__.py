"""Connections to one database: kept, given up before forks, tried again."""
