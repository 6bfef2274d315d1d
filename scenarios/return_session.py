"""Visitors page through two hundred products and look at single ones."""

from shoppers.products import Visitor as Visitor
