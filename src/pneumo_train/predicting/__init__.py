"""What a stored model says of films that nobody has labelled."""
