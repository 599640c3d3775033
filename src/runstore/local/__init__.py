"""What belongs to this machine and this process: clock, files, homes, forks, the terminal.

Each module is imported by itself, for some of them load what others must not cost.
"""
