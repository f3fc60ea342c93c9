"""The forge twin: GitHub's answers over a real bare repository."""
