"""What ruff, mypy, asyncio's debug mode, blockbuster, one user alone and the harness itself find of the catalogue's bugs."""
