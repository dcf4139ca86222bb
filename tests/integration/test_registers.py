"""External registers, on both engines: all or nothing, whom they list, and the proof of it."""

from __future__ import annotations

import hashlib
import io
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from consentledger.db.installation import Installation
from consentledger.db.models import LogHead
from consentledger.kernel.clock import now, to_text
from consentledger.kernel.errors import ConflictError, InputError, NotFoundError
from consentledger.ledger.absence import verify_absent, verify_place
from consentledger.ledger.register import Imported as Told
from consentledger.ledger.register import entry_hash, texts_of
from consentledger.registers import ending, queries, service
from consentledger.registers.adapters import Adapter, adapter_of
from consentledger.registers.models import RegisterEntry, RegisterImport
from consentledger.registers.rules import KEEP, ImportRegister
from consentledger.registers.service import Imported, import_register
from consentledger.verify.absence import read_place
from tests.factories import create_organisation

ECG, DNC = "AT-ECG", "US-DNC"
CLEAR = Adapter()


class Registers:
    """An organisation that imports registers, beside another that imports the like."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self.database = installation, installation.database
        self.id = create_organisation(installation.database, installation.settings).organisation_id
        self.day = now() - timedelta(days=30)

    def take(
        self,
        content: str,
        code: str = ECG,
        *,
        adapter: Adapter = CLEAR,
        as_of: datetime | None = None,
        force: bool = False,
        organisation_id: UUID | None = None,
    ) -> Imported:
        self.day += timedelta(minutes=1)
        command = ImportRegister(
            organisation_id or self.id, code, as_of or self.day, "a test", adapter, force
        )
        return import_register(self.database, command, io.BytesIO(content.encode()))

    def listed(self, *folded: str) -> dict[str, tuple[str, ...]]:
        with self.database.read() as session:
            found = queries.imports(session, self.installation.keystore, self.id)
            return queries.listed(session, self.id, folded, found)

    def size(self) -> int:
        with self.database.read() as session:
            query = select(LogHead.size).where(LogHead.organisation_id == self.id)
            return session.scalars(query).one()

    def stored(self) -> int:
        with self.database.read() as session:
            query = select(func.count()).select_from(RegisterEntry)
            return session.scalars(query.where(RegisterEntry.organisation_id == self.id)).one()


@pytest.fixture
def registers(installation: Installation) -> Registers:
    made = Registers(installation)
    other = create_organisation(installation.database, installation.settings).organisation_id
    made.take("noise@other.example\n", organisation_id=other)
    return made


def test_addresses_domains_and_numbers_are_found_by_the_registers_that_list_them(
    registers: Registers,
) -> None:
    registers.take("anna@person.example\n@shop.example\n")
    registers.take("+43 664 1234567\nanna@person.example\n", DNC)
    asked = ("anna@person.example", "any@shop.example", "+436641234567", "noise@other.example")
    assert registers.listed(*asked, "x@person.example") == {
        "anna@person.example": (ECG, DNC),
        "any@shop.example": (ECG,),
        "+436641234567": (DNC,),
    }


def test_digests_are_matched_by_address_and_by_domain(registers: Registers) -> None:
    told = ("anna@person.example", "shop.example", "@store.example")
    content = "".join(
        hashlib.sha1(one.encode(), usedforsecurity=False).hexdigest() + "\n" for one in told
    )
    registers.take(content, adapter=adapter_of(ECG))
    found = registers.listed(
        "anna@person.example", "a@shop.example", "b@store.example", "c@d.example"
    )
    assert sorted(found) == ["a@shop.example", "anna@person.example", "b@store.example"]


def test_more_than_one_statement_finds_the_same(registers: Registers) -> None:
    registers.take("".join(f"p{n}@person.example\n" for n in range(0, 11_000, 1_000)))
    found = registers.listed(*(f"p{n}@person.example" for n in range(11_000)))
    assert sorted(found) == sorted(f"p{n}@person.example" for n in range(0, 11_000, 1_000))


def test_a_newer_import_replaces_it_and_writes_only_what_differs(registers: Registers) -> None:
    first = registers.take("a@x.example\nb@x.example\nc@x.example\na@x.example\n")
    assert (first.count, first.added, first.removed) == (3, 3, 0)
    second = registers.take("b@x.example\nc@x.example\nd@x.example\n")
    assert (second.count, second.added, second.removed) == (3, 1, 1)
    assert registers.stored() == 4
    assert sorted(registers.listed("a@x.example", "b@x.example", "d@x.example")) == [
        "b@x.example",
        "d@x.example",
    ]
    again = registers.take("a@x.example\nb@x.example\nd@x.example\n")
    assert (again.added, again.removed) == (1, 1)
    assert sorted(registers.listed("a@x.example", "c@x.example")) == ["a@x.example"]
    with registers.database.read() as session:
        states = session.execute(
            select(RegisterImport.number, RegisterImport.state, RegisterImport.entry_index)
            .where(RegisterImport.organisation_id == registers.id)
            .order_by(RegisterImport.number)
        ).all()
    assert [tuple(row) for row in states] == [
        (1, "replaced", first.entry_index),
        (2, "replaced", second.entry_index),
        (3, "current", again.entry_index),
    ]


def test_the_same_file_twice_is_one_import(registers: Registers) -> None:
    first = registers.take("a@x.example\n")
    size = registers.size()
    again = registers.take("a@x.example\n", as_of=registers.day)
    assert again.repeated
    assert again.entry_index == first.entry_index
    assert registers.size() == size


def test_a_bad_file_leaves_nothing_behind(registers: Registers) -> None:
    registers.take("old@x.example\n")
    size = registers.size()
    for content in ("a@x.example\nnonsense\n", ""):
        with pytest.raises(InputError) as caught:
            registers.take(content)
        assert caught.value.field == "file"
        assert (registers.size(), registers.stored()) == (size, 1)
        assert registers.listed("a@x.example", "old@x.example") == {"old@x.example": (ECG,)}


def test_a_file_cut_short_needs_force(registers: Registers) -> None:
    registers.take("".join(f"p{n}@x.example\n" for n in range(9)))
    with pytest.raises(InputError, match="4 entries where the import before had 9"):
        registers.take("".join(f"p{n}@x.example\n" for n in range(4)))
    registers.take("".join(f"p{n}@x.example\n" for n in range(5)))
    assert registers.take("", force=True).count == 0
    assert registers.listed("p1@x.example") == {}


def test_no_import_of_the_future_and_none_older_than_the_current(registers: Registers) -> None:
    with pytest.raises(InputError, match="as_of"):
        registers.take("a@x.example\n", as_of=now() + timedelta(minutes=5))
    registers.take("a@x.example\n", as_of=now() - timedelta(days=2))
    with pytest.raises(ConflictError, match="newer"):
        registers.take("b@x.example\n", as_of=now() - timedelta(days=3))
    assert registers.listed("b@x.example") == {}


def test_a_code_that_can_be_none_is_refused(registers: Registers) -> None:
    for code in ("ecg", "AT_ECG", "AT-", "AT-" + "X" * 30):
        with pytest.raises(InputError, match="register"):
            registers.take("a@x.example\n", code)


def test_one_import_at_a_time_and_a_dead_one_is_undone(
    registers: Registers, monkeypatch: pytest.MonkeyPatch
) -> None:
    registers.take("a@x.example\nb@x.example\n")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        # As if the process were gone: nobody takes back what it wrote.
        patched.setattr(service._Import, "_become_current", die)
        patched.setattr(ending, "give_up", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            registers.take("b@x.example\nc@x.example\n")
    assert sorted(registers.listed("a@x.example", "c@x.example")) == ["a@x.example"]
    with pytest.raises(ConflictError, match="under way"):
        registers.take("b@x.example\nd@x.example\n")
    with registers.database.begin() as tx:
        tx.session.execute(
            update(RegisterImport)
            .where(RegisterImport.state == queries.LOADING)
            .values(touched_at=now() - timedelta(minutes=11))
        )
    registers.take("b@x.example\nd@x.example\n")
    found = registers.listed("a@x.example", "b@x.example", "c@x.example", "d@x.example")
    assert sorted(found) == ["b@x.example", "d@x.example"]
    assert registers.stored() == 3


def test_an_import_taken_for_given_up_writes_nothing_more(
    registers: Registers, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = service._Import._write

    def overtaken(self: service._Import, added: list[bytes], removed: list[bytes]) -> None:
        ending.give_up(registers.database, registers.id, ECG, self._number)
        real(self, added, removed)

    monkeypatch.setattr(service._Import, "_write", overtaken)
    with pytest.raises(ConflictError):
        registers.take("a@x.example\n")
    assert (registers.stored(), registers.listed("a@x.example")) == (0, {})


def test_presence_and_absence_are_proved_for_every_import_that_is_kept(
    registers: Registers,
) -> None:
    first = registers.take("".join(f"p{n}@x.example\n" for n in range(600)))
    second = registers.take("".join(f"p{n}@x.example\n" for n in range(1, 601)))
    assert proved(registers, first.entry_index, "p0@x.example")
    assert not proved(registers, second.entry_index, "p0@x.example")
    assert not proved(registers, first.entry_index, "p600@x.example")
    assert proved(registers, second.entry_index, "p600@x.example")
    with pytest.raises(NotFoundError):
        proved(registers, second.entry_index + 1, "p0@x.example")


def test_what_only_an_old_import_held_is_forgotten(registers: Registers) -> None:
    first = registers.take("a@x.example\nb@x.example\n")
    second = registers.take("b@x.example\nc@x.example\n")
    with registers.database.begin() as tx:
        tx.session.execute(
            update(RegisterImport)
            .where(RegisterImport.entry_index == first.entry_index)
            .values(touched_at=now() - KEEP - timedelta(days=1))
        )
    ending.clear_up(registers.database, registers.id, ECG)
    assert registers.stored() == 2
    assert sorted(registers.listed("a@x.example", "b@x.example")) == ["b@x.example"]
    assert not proved(registers, second.entry_index, "a@x.example")
    with pytest.raises(NotFoundError):
        proved(registers, first.entry_index, "a@x.example")


def proved(registers: Registers, index: int, folded: str) -> bool:
    """Whether an import lists an address, by its proof and the root in its entry alone."""
    with registers.database.read() as session:
        keystore = registers.installation.keystore
        file = queries.proof(session, keystore, registers.id, ECG, index, uuid4(), folded)
        one = queries.import_at(session, keystore, registers.id, ECG, index)
        root = session.scalars(
            select(RegisterImport.root).where(
                RegisterImport.organisation_id == registers.id, RegisterImport.entry_index == index
            )
        ).one()
        assert root is not None
    told = imported(one, root)
    looked = file["looked"]
    assert isinstance(looked, list)
    found = False
    for text, (left, right) in zip(texts_of(folded, one.matched), looked, strict=True):
        wanted, near = entry_hash(one.salt, text), (read_place(left), read_place(right))
        if near[0] is not None and near[0].label == wanted:
            verify_place(told.tree, near[0])
            found = True
        else:
            verify_absent(told.tree, wanted, *near)
    return found


def imported(one: queries.Import, root: bytes) -> Told:
    return Told(one.register, to_text(one.as_of), one.matched, one.salt, one.count, root)
