"""Sign-up, confirm and unsubscribe POSTs at 2 web processes, beside a bare Flask view with one INSERT and commit."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from bench import load
from bench.engines import ENGINES
from bench.figures import Figure
from bench.people import confirm_requests, unsubscribe_requests
from bench.roundtrips import signup_round_trips
from bench.world import World, on_each, served, without_limits
from tests.support.form_tokens import OpenPages

COUNT = 1_500
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
LIMITS = {"sign-up": 0.3, "confirm": 0.4, "unsubscribe": 0.4}
ROUND_TRIPS = 8


def run(engines: Sequence[str] = ENGINES) -> list[Figure]:
    """Measures the three POSTs and the bare view on each engine, in one run."""
    return on_each(engines, _engine)


def _engine(made: World) -> list[Figure]:
    confirms = confirm_requests(made, COUNT)
    stops = unsubscribe_requests(made, COUNT)
    with served(made, "bench.bare:application") as port:
        load.run(port, bare_requests(400))
        bare = load.run(port, bare_requests(COUNT))
    figures = [
        Figure(made.engine, "bare INSERT, POST", bare.rate, "/s"),
        Figure(made.engine, "bare INSERT, p99", bare.p99, "ms"),
    ]
    # What limits cost is measured apart: python -m bench limits.
    with served(without_limits(made)) as port:
        load.run(port, signup_requests(made, "warm", 300))
        runs = {
            "sign-up": signup_requests(made, "run", COUNT),
            "confirm": confirms,
            "unsubscribe": stops,
        }
        for name, requests in runs.items():
            done = load.run(port, requests)
            if done.statuses != {200: len(requests)}:
                raise SystemExit(f"{name}: not every answer was 200: {done.statuses}")
            figures += [
                Figure(made.engine, f"{name}, POST", done.rate, "/s"),
                Figure(made.engine, f"{name}, p99", done.p99, "ms"),
                Figure(
                    made.engine,
                    f"{name}, of the bare view",
                    done.rate / bare.rate,
                    "",
                    LIMITS[name],
                ),
            ]
    if made.engine == "postgresql":
        trips = signup_round_trips(made, signup_requests(made, "counted", 12))
        name = "sign-up, database round trips"
        figures.append(Figure(made.engine, name, trips, "", ROUND_TRIPS, ceiling=True))
    return figures


def bare_requests(count: int) -> list[bytes]:
    """The bare view's posts, of the same size as a sign-up's."""
    return [
        load.request("POST", "/bare", urlencode({"email": f"p{n}@example.org"}).encode(), **FORM)
        for n in range(count)
    ]


def signup_requests(made: World, name: str, count: int) -> list[bytes]:
    """Posts of the form by as many people, each from a network of their own."""
    form, box = made.made.form_id, str(made.made.purpose_ids[0])
    pages = OpenPages(made.installation.settings)
    return [
        load.request(
            "POST",
            f"/f/{form}",
            urlencode(
                {"email": f"{name}{n}@example.org", "purpose": box, "token": pages.token(form)}
            ).encode(),
            X_Forwarded_For=f"198.{18 + n // 65536}.{n // 256 % 256}.{n % 256}",
            **FORM,
        )
        for n in range(count)
    ]
