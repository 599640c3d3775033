"""Which patients are learnt from, and which are held out."""
