"""The repository: one runner of git, and the bare clone that is read and written without a work tree."""
