"""Whatever an operator signs, the verifier answers with a report: no input makes it fall over."""

from __future__ import annotations

import io
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consentledger.kernel.errors import UnusableError
from consentledger.ledger.bundle import to_json
from consentledger.verify.bundle import verify_bundle
from tests.unit.verify.bundles import journey

LOG, ANNA, _, _ = journey()
PATHS = sorted(LOG.members([ANNA])) + [
    f"entries/{n}.{suffix}" for n in range(18) for suffix in ("tlog-proof", "disclosures")
]
HARMLESS = ("README.txt", "policy.txt", "records/consentledger-context.jsonld")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)
slow = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(path: str, content: bytes) -> int:
    def change(found: dict[str, bytes]) -> None:
        found[path] = content

    data = LOG.bundle([ANNA], change=change)
    try:
        return verify_bundle(io.BytesIO(data), policy=LOG.policy()).exit_code
    except UnusableError:
        return 2


@slow
@given(path=st.sampled_from(PATHS), noise=st.binary(max_size=300))
def test_a_member_of_noise(path: str, noise: bytes) -> None:
    assert run(path, noise) == (0 if path in HARMLESS[:1] + HARMLESS[2:] else 1)


@slow
@given(
    path=st.sampled_from([path for path in PATHS if path not in HARMLESS]),
    at=st.integers(0),
    new=st.binary(max_size=2),
    cut=st.integers(0, 3),
)
def test_a_member_with_a_scar(path: str, at: int, new: bytes, cut: int) -> None:
    files = LOG.members([ANNA]) | LOG.entry_files()
    old = files[path]
    at %= len(old)
    scarred = old[:at] + new + old[at + cut :]
    assert run(path, scarred) == (0 if scarred == old or same_record(path, old, scarred) else 1)


def same_record(path: str, old: bytes, new: bytes) -> bool:
    """A record is read as JSON: other blanks in it say nothing else."""
    if not path.endswith(".jsonld"):
        return False
    try:
        # Names and texts are compared as they are; a number written in another way is another text.
        return bool(json.loads(old) == json.loads(new))
    except ValueError:
        return False


@slow
@given(
    path=st.sampled_from(
        [path for path in PATHS if path.endswith((".json", ".jsonld")) and path not in HARMLESS]
    ),
    value=json_values,
    name=st.integers(0),
)
def test_a_member_of_other_json(path: str, value: object, name: int) -> None:
    old = json.loads(LOG.members([ANNA])[path])
    keys = sorted(old)
    run(path, to_json(value))
    changed = old | {keys[name % len(keys)]: value}
    assert run(path, to_json(changed)) in (0, 1)
