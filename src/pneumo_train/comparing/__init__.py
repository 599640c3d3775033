"""What a federation is worth: beside one model of all films in one place, and one of each site alone, on films that none has seen."""
