"""People visiting an invented shop: returning visitors, sessions, funnels to orders. No files here."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from symbiosys_pipeline.demo.catalogue import (
    APP_AGENTS,
    BOT,
    BROWSERS,
    HOUR_WEIGHTS,
    Product,
    arrive,
    invent_products,
)
from symbiosys_pipeline.demo.events import Line, Order, View, local_day, midnight

_CONVERSION = 0.16
_RETURN_RATES = (0.15, 0.3, 0.55, 0.9)


@dataclass(frozen=True)
class Shop:
    """What makes one invented shop differ from the other.

    Attributes:
        own_ids: Whether the shop sends session and event ids of its own.
        app_share: Share of visitors who use the app: deep-link opens and orders only.
        amount_off: Whether a line's discount is the amount off a unit instead of its net price.
        statuses: The words for paid, cancelled and returned orders.
    """

    client: str
    host: str
    zone: ZoneInfo
    visitors: int
    own_ids: bool
    app_share: float
    amount_off: bool
    product_format: str
    order_format: str
    statuses: tuple[str, str, str]


@dataclass(frozen=True)
class Visits:
    """Everything that happened, in time order, before anything is delivered."""

    views: tuple[View, ...]
    orders: tuple[Order, ...]


@dataclass(frozen=True)
class _Visitor:
    visitor_id: str
    crm_id: str | None
    hashed_email: str | None
    opted_out: bool
    platform: str
    user_agent: str
    rate: float


def browse(rng: random.Random, shop: Shop, days: Sequence[date]) -> Visits:
    """All views and orders of the given local days; nothing lies outside them."""
    products = invent_products(rng, 60, shop.product_format)
    visitors = [_invent_visitor(rng, shop, number) for number in range(shop.visitors)]
    street = _Street(rng, shop, products)
    for visitor in visitors:
        for day in days:
            if rng.random() < visitor.rate:
                for _ in range(2 if rng.random() < 0.15 else 1):
                    street.visit(visitor, _draw_start(rng, day, shop.zone))
    for day in days:
        street.crawl(_draw_start(rng, day, shop.zone))
    web = [visitor for visitor in visitors if visitor.platform == "web"]
    for number, day in enumerate(days):
        street.stroll(web[number], midnight(day, shop.zone) + timedelta(hours=23, minutes=38), _OVER_MIDNIGHT)
    street.stroll(web[-1], midnight(days[1], shop.zone) + timedelta(hours=10), _AROUND_THE_TIMEOUT)
    views = sorted(street.views, key=lambda view: (view.at, view.visitor_id, view.page_url))
    orders = sorted(street.orders, key=lambda order: (order.at, order.order_id))
    inside = set(days)
    return Visits(
        tuple(view for view in views if local_day(view.at, shop.zone) in inside),
        tuple(order for order in orders if local_day(order.at, shop.zone) in inside),
    )


#: Gaps of a visit that runs over midnight: eight minutes, eight times.
_OVER_MIDNIGHT = (timedelta(minutes=8),) * 8
#: Exactly the timeout (one session) and one millisecond more (a new one).
_AROUND_THE_TIMEOUT = (timedelta(minutes=30), timedelta(minutes=30, milliseconds=1), timedelta(minutes=2))


def _invent_visitor(rng: random.Random, shop: Shop, number: int) -> _Visitor:
    known = rng.random() < 0.35
    address = f"visitor{number:05d}@{shop.client}.example"
    platform = rng.choice(("ios", "android")) if rng.random() < shop.app_share else "web"
    return _Visitor(
        visitor_id=f"{rng.getrandbits(64):016x}",
        crm_id=f"00{number:05d}" if known else None,
        hashed_email=hashlib.sha256(address.encode()).hexdigest() if known else None,
        opted_out=rng.random() < 0.06,
        platform=platform,
        user_agent=APP_AGENTS.get(platform) or rng.choice(BROWSERS),
        rate=rng.choice(_RETURN_RATES),
    )


def _draw_start(rng: random.Random, day: date, zone: ZoneInfo) -> datetime:
    hour = rng.choices(range(24), weights=HOUR_WEIGHTS)[0]
    return midnight(day, zone) + timedelta(hours=hour, milliseconds=rng.randrange(3_600_000))


class _Street:
    """Collects what happens while visitors come and go."""

    def __init__(self, rng: random.Random, shop: Shop, products: tuple[Product, ...]) -> None:
        self.views: list[View] = []
        self.orders: list[Order] = []
        self._rng = rng
        self._shop = shop
        self._products = products

    def visit(self, visitor: _Visitor, start: datetime) -> None:
        """One ordinary session; some of them end in an order."""
        rng = self._rng
        app = visitor.platform != "web"
        buys = rng.random() < (_CONVERSION * 2 if app else _CONVERSION)
        pages = 1 if app else min(1 + int(rng.expovariate(0.28)), 14)
        seen = [rng.choice(self._products) for _ in range(pages)]
        paths = list(self._paths(seen, app=app))
        if buys and not app:
            paths += [("/cart", None), ("/checkout", None), ("/thank-you", None)]
        login = rng.randrange(len(paths)) if visitor.crm_id else 0
        views = self._walk(visitor, start, paths, self._gaps(len(paths)), login)
        if buys:
            self._buy(visitor, start, views[-1].at, seen)

    def stroll(self, visitor: _Visitor, start: datetime, gaps: Sequence[timedelta]) -> None:
        """A session with exactly these gaps between its views."""
        seen = [self._rng.choice(self._products) for _ in range(len(gaps) + 1)]
        self._walk(visitor, start, list(self._paths(seen, app=False)), gaps, 0)

    def crawl(self, start: datetime) -> None:
        """A declared bot reading 25 product pages in a row."""
        bot = _Visitor(f"{self._rng.getrandbits(64):016x}", None, None, False, "web", BOT, 0)
        paths = [(f"/p/{product.product_id}", product) for product in self._products[:25]]
        self._walk(bot, start, paths, [timedelta(milliseconds=700)] * 24, 0)

    def _paths(self, seen: Sequence[Product], *, app: bool) -> Iterator[tuple[str, Product | None]]:
        for step, product in enumerate(seen):
            draw = self._rng.random()
            if app or draw < 0.5:
                yield f"/p/{product.product_id}", product
            elif step == 0:
                yield "/", None
            elif draw < 0.85:
                yield f"/c/{product.category_id}", None
            else:
                yield '/search?q=lamp, 5" oak; white', None

    def _gaps(self, pages: int) -> list[timedelta]:
        seconds = (min(self._rng.lognormvariate(3.8, 1.2), 2400.0) for _ in range(pages - 1))
        return [timedelta(milliseconds=int(second * 1000) + 1) for second in seconds]

    def _walk(
        self,
        visitor: _Visitor,
        start: datetime,
        paths: Sequence[tuple[str, Product | None]],
        gaps: Sequence[timedelta],
        login: int,
    ) -> list[View]:
        views: list[View] = []
        query, referrer = arrive(self._rng)
        at = start
        for step, (path, product) in enumerate(paths):
            if step:
                at += gaps[step - 1]
            url = f"https://{self._shop.host}{path}{query if step == 0 and '?' not in path else ''}"
            view = View(
                at=at,
                visitor_id=visitor.visitor_id,
                session_id=self._session_id(visitor, start),
                crm_id=visitor.crm_id if step >= login else None,
                page_url=url,
                referrer=referrer,
                product_id=product.product_id if product else None,
                category_id=product.category_id if product else None,
                hashed_email=visitor.hashed_email if step >= login else None,
                opted_out=visitor.opted_out,
                platform=visitor.platform,
                user_agent=visitor.user_agent,
                event_id=f"ev{self._rng.getrandbits(60):015x}" if self._shop.own_ids else None,
            )
            referrer = url
            views.append(view)
        self.views += views
        return views

    def _session_id(self, visitor: _Visitor, start: datetime) -> str | None:
        return f"{visitor.visitor_id[:8]}.{int(start.timestamp())}" if self._shop.own_ids else None

    def _buy(self, visitor: _Visitor, start: datetime, at: datetime, seen: Sequence[Product]) -> None:
        rng = self._rng
        more = rng.sample(self._products, rng.choices((0, 1, 2, 3), weights=(6, 4, 2, 1))[0])
        basket = list(dict.fromkeys([seen[-1], *more]))
        self.orders.append(
            Order(
                order_id=self._shop.order_format.format(len(self.orders) + 1),
                at=at,
                visitor_id=visitor.visitor_id,
                session_id=self._session_id(visitor, start),
                crm_id=visitor.crm_id,
                hashed_email=visitor.hashed_email,
                opted_out=visitor.opted_out,
                platform=visitor.platform,
                status=rng.choices(self._shop.statuses, weights=(94, 4, 2))[0],
                lines=tuple(self._line(product) for product in basket),
            )
        )

    def _line(self, product: Product) -> Line:
        rng = self._rng
        discount = None
        if rng.random() < 0.4:
            off = (product.price * rng.choice((5, 10, 20)) / 100).quantize(Decimal("0.01"))
            discount = off if self._shop.amount_off else product.price - off
        return Line(product.product_id, rng.choices((1, 2, 3), weights=(8, 2, 1))[0], product.price, discount)
