"""Users of more than one pair. Locust finds this folder beside the file that it is given."""
