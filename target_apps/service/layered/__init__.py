"""The shop's service in layers: routes take requests and answer, services decide, repositories ask the database."""
