"""Customers order."""

from shoppers.orders import Customer as Customer
