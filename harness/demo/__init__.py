"""The teaching page: see a worker freeze and a pool drain, guess what helps, try it, and understand."""
