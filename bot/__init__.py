"""The floor that carries out: the engine, and one adapter for each outside world."""
