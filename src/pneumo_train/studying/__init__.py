"""A study: many trainings that differ in one thing each, kept as runs of one experiment, and the table that they make."""
