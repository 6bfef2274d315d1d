"""Customers order, and then look at what they have ordered."""

from shoppers.orders_and_looks import Customer as Customer
