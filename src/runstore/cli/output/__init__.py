"""How the commands lay out what they print: tables for people, JSON and CSV for programs."""
