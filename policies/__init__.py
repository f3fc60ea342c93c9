"""The floor that decides: values and functions, without clock, disk, network or logging."""
