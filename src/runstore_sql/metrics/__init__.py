"""Points, histories and summaries: what every dialect does alike, and the interfaces of what each does its own way."""
