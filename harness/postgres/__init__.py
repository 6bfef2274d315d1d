"""Postgres for one run: a server (embedded or the user's), a cloned database per trial, and a watch on its sessions."""
