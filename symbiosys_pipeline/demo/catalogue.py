"""What the invented shops sell and how people reach them: products, campaigns, browsers."""

import random
from dataclasses import dataclass
from decimal import Decimal

#: Share of a day's visits that begin in each local hour.
HOUR_WEIGHTS = (6, 3, 2, 1, 1, 2, 6, 14, 22, 28, 30, 31, 36, 33, 30, 29, 31, 36, 42, 50, 58, 56, 38, 20)

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    'Mozilla/5.0 (Linux; Android 14; "Tab 9") AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36',
)
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
APP_AGENTS = {"ios": "TallpineApp/8.2 (iOS 26.0)", "android": "TallpineApp/8.2 (Android 16)"}

_ARRIVALS: tuple[tuple[int, str, str | None], ...] = (
    (
        24,
        "?utm_source=google&utm_medium=cpc&utm_campaign=brand&campaign_id=7001&gclid={token}",
        "https://www.google.com/",
    ),
    (
        14,
        "?utm_source=google&utm_medium=cpc&utm_campaign=shopping_autumn&campaign_id=7002&gclid={token}",
        "https://www.google.com/",
    ),
    (8, "?msclkid={token}", "https://www.bing.com/"),
    (
        10,
        "?utm_source=facebook&utm_medium=paid_social&utm_campaign=retargeting&fbclid={token}",
        "https://l.facebook.com/",
    ),
    (7, "?utm_source=newsletter&utm_medium=email&utm_campaign=week_46", None),
    (3, "?utm_source=partner,plus&utm_medium=affiliate&utm_content=banner;top", "https://deals.example/"),
    (1, "?ref=a?campaign_id=7001", "https://blog.example/lamps"),
    (14, "", "https://www.google.com/"),
    (4, "", "https://blog.example/ten-best"),
    (22, "", None),
)
_ARRIVAL_WEIGHTS = tuple(weight for weight, _, _ in _ARRIVALS)


@dataclass(frozen=True)
class Product:
    """One product; the price is the list price of a unit."""

    product_id: str
    category_id: str
    price: Decimal


def invent_products(rng: random.Random, count: int, id_format: str) -> tuple[Product, ...]:
    """Products with ids such as `id_format.format(17)`, in eight categories, priced 4.90 to 249.90."""
    return tuple(
        Product(
            product_id=id_format.format(number),
            category_id=f"c{number % 8:02d}",
            price=Decimal(rng.randint(49, 2499)) / 10,
        )
        for number in range(1, count + 1)
    )


def arrive(rng: random.Random) -> tuple[str, str | None]:
    """How one session begins: the landing URL's query (or nothing) and the referrer."""
    _, query, referrer = rng.choices(_ARRIVALS, weights=_ARRIVAL_WEIGHTS)[0]
    return query.format(token=f"{rng.getrandbits(96):024x}"), referrer
