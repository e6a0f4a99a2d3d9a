"""Where a search's study lies in its folder, and what is noted with its trials besides Optuna's own."""

NAME = "search"
"""Of the one study in a folder. Hyperband deals trials to its brackets by it."""

STORAGES = {"journal": "optuna.journal", "sqlite": "optuna.db"}
"""Where the study lies in the sweep's folder."""

OWNER, IDENTITY, FOLDER, MONITOR, WHY = "owner", "identity", "folder", "monitor", "why"
SAME_AS, RETRY_OF, REFUSED = "same as", "retry of", "refused"
"""What is noted with a trial: who runs it, what makes it equal to another, how it ended."""
