"""Where raw text and sentence pairs come from: sources, cleaning, splits, fingerprints. Knows no tokens."""
