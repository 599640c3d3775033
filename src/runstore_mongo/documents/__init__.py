"""The shapes of the stored documents, and the way from them to the contract's values and back."""
