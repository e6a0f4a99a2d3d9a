"""What was trained, to look at: one HTML page for a run or a sweep."""
