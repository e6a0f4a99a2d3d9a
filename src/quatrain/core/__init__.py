"""What every room shares: the error, the batch types, and building a named class. Imports nothing of quatrain."""
