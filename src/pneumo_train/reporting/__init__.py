"""What a stored run says of itself to others: a model card, a checklist for authors. Nothing is made up."""
