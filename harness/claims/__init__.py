"""The claims ledger: sentences that people say about FastAPI under load, ruled on from what was measured."""
