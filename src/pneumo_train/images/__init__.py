"""From image files to squares of grey."""

from pneumo_train.images.film import check_film, read_film
from pneumo_train.images.films import Films, load_films

__all__ = ["Films", "check_film", "load_films", "read_film"]
