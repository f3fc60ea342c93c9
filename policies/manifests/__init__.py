"""Manifests: where images stand in the files of a GitOps repository, and how they are written there."""
