"""The registry twin: images made from nothing, and the answers of a registry."""
