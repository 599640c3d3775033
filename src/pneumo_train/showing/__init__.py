"""What an evaluation looks like: plots, and sheets of films, as pictures that go with a run."""
