"""What belongs to this machine and this process: files, homes, forks, the terminal."""
