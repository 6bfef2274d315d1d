"""People use the shop: most look around, some compare prices, few order. Customer n is from one of seven cities and has five orders."""

import random
from typing import Any

from locust import FastHttpUser, between, task

CITIES = ("Aarhus", "Bilbao", "Cork", "Gdansk", "Lyon", "Porto", "Turin")
THINGS = ("kettle", "lamp", "chair", "teapot", "shelf", "rug", "clock", "bowl")


class Visitor(FastHttpUser):
    wait_time = between(1, 3)

    @task(8)
    def read_product(self) -> None:
        product = some_product()
        self.ask("GET", f"/products/{product}", "/products/{id}", {"id": product, "price_cents": price_cents(product)})

    @task(5)
    def list_products(self) -> None:
        after = random.randrange(0, 180)
        with self.client.get(f"/products?after={after}", name="/products", catch_response=True) as response:
            if response.status_code == 200:
                ids = [product["id"] for product in response.json()]
                if ids != list(range(after + 1, after + 21)):
                    response.failure(f"wrong page: {ids}")

    @task(4)
    def search(self) -> None:
        word = random.choice(THINGS)
        with self.client.get(f"/search?word={word}", name="/search", catch_response=True) as response:
            if response.status_code == 200:
                names = [product["name"] for product in response.json()]
                if len(names) != 20 or any(word not in name for name in names):
                    response.failure(f"searched {word}, found {names}")

    @task(3)
    def read_stock(self) -> None:
        product = some_product()
        self.ask("GET", f"/products/{product}/stock", "/products/{id}/stock", {"product_id": product, "pieces": 1000})

    @task(10)
    def read_quote(self) -> None:
        product = some_product()
        quote = {"sku": f"SKU-{product:04}", "price_cents": supplier_cents(product)}
        self.ask("GET", f"/products/{product}/quote", "/products/{id}/quote", quote)

    @task(1)
    def compare(self) -> None:
        products = random.sample(range(1, 201), 2)
        margins = [
            {"product_id": p, "price_cents": price_cents(p), "supplier_cents": supplier_cents(p)} for p in products
        ]
        self.ask("POST", "/comparisons", "/comparisons", {"margins": margins}, json={"product_ids": products})

    @task(1)
    def list_cities(self) -> None:
        with self.client.get("/cities", catch_response=True) as response:
            if response.status_code == 200:
                counted = response.json()
                if [c["city"] for c in counted] != list(CITIES) or sum(c["customers"] for c in counted) != 100:
                    response.failure(f"wrong cities: {response.text}")

    @task(1)
    def list_bestsellers(self) -> None:
        with self.client.get("/bestsellers", catch_response=True) as response:
            if response.status_code == 200:
                pieces = [best["pieces"] for best in response.json()]
                if len(pieces) != 10 or pieces != sorted(pieces, reverse=True):
                    response.failure(f"wrong order: {pieces}")

    @task(3)
    def read_me(self) -> None:
        customer = some_customer()
        self.ask("GET", "/me", "/me", person(customer), headers={"X-Api-Token": f"token-{customer:03}"})

    @task(3)
    def list_my_orders(self) -> None:
        header = {"X-Api-Token": f"token-{some_customer():03}"}
        with self.client.get("/me/orders", headers=header, catch_response=True) as response:
            if response.status_code == 200:
                quantities = [order["quantity"] for order in response.json()]
                if quantities[:5] != [1, 2, 3, 4, 5]:
                    response.failure(f"wrong orders: {quantities}")

    @task(1)
    def read_customer(self) -> None:
        customer = some_customer()
        self.ask("GET", f"/customers/{customer}", "/customers/{id}", person(customer))

    @task(1)
    def change_address(self) -> None:
        """To the address that the shop already has, so that the customer stays checkable."""
        customer = some_customer()
        city = {"city": CITIES[customer % len(CITIES)]}
        self.ask("PATCH", f"/customers/{customer}", "/customers/{id} (change)", person(customer), json=city)

    @task(1)
    def read_bill(self) -> None:
        customer = some_customer()
        with self.client.get(
            f"/customers/{customer}/bill", name="/customers/{id}/bill", catch_response=True
        ) as response:
            if response.status_code == 200:
                bill = response.json()
                if bill["customer"] != person(customer) or bill["orders"] < 5 or bill["spent_cents"] <= 0:
                    response.failure(f"wrong bill: {response.text}")

    @task(2)
    def place_order(self) -> None:
        product, quantity = some_product(), random.randint(1, 5)
        order = {"customer_id": some_customer(), "product_id": product, "quantity": quantity}
        placed = {"product_id": product, "quantity": quantity, "total_cents": quantity * price_cents(product)}
        self.ask("POST", "/orders", "/orders", placed, json=order)

    @task(2)
    def read_order(self) -> None:
        order = random.randint(1, 500)
        self.ask("GET", f"/orders/{order}", "/orders/{id}", {"id": order, "quantity": (order - 1) % 5 + 1})

    @task(1)
    def change_order(self) -> None:
        """To the quantity that was ordered, so that the order stays checkable."""
        order = random.randint(1, 500)
        quantity = {"quantity": (order - 1) % 5 + 1}
        self.ask("PATCH", f"/orders/{order}", "/orders/{id} (change)", {"id": order, **quantity}, json=quantity)

    def ask(self, method: str, path: str, name: str, wanted: dict[str, Any], **more: Any) -> None:
        """One request, whose right answer holds all that is wanted."""
        with self.client.request(method, path, name=name, catch_response=True, **more) as response:
            if response.status_code not in (200, 201):
                return
            answer = response.json()
            if any(answer.get(key) != value for key, value in wanted.items()):
                response.failure(f"wanted {wanted}, got {response.text}")


def some_product() -> int:
    return random.randint(1, 200)


def some_customer() -> int:
    return random.randint(1, 100)


def person(customer: int) -> dict[str, Any]:
    return {"id": customer, "name": f"Customer {customer}", "city": CITIES[customer % len(CITIES)]}


def price_cents(product: int) -> int:
    return 500 + 25 * product


def supplier_cents(product: int) -> int:
    return 7 * sum(f"SKU-{product:04}".encode())
