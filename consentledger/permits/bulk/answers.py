"""The answer in lines: NDJSON that tells everything, and CSV for mailers with a row per allowed recipient."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from consentledger.kernel.clock import to_text
from consentledger.kernel.tokens import Tokens
from consentledger.permits.answers import links_and_headers
from consentledger.permits.bulk.body import LineError, Piece
from consentledger.permits.headers import list_unsubscribe
from consentledger.permits.links import PermitId, batch_text, permit_ids
from consentledger.permits.rules import MEANING
from consentledger.permits.rulings import Ruling
from consentledger.permits.service import Issued

NDJSON = "application/x-ndjson"
CSV = "text/csv"
GONE = "gone"
_COUNTED = {"allow": "allowed", "deny": "denied", "review": "review"}
COUNTS = ("recipients", "allowed", "denied", "review", "errors", GONE)
HEADERS = ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Feedback-ID")
COLUMNS = (
    "address", "permit", "unsubscribe_url", *HEADERS, "subject_label", "statement_languages", "valid_until",
)  # fmt: skip
# What a spreadsheet takes for a formula, full-width forms too. A tab in front makes it text there, and no address
# of somebody else here: an apostrophe would, for it may stand in an address.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


class Answer:
    """What every form of the answer needs of a batch: links, shared headers, counts."""

    media_type = NDJSON

    def __init__(self, tokens: Tokens, base_url: str) -> None:
        self._tokens, self._base_url = tokens, base_url
        self.counts: Counter[str] = Counter()

    def begin(self) -> bytes:
        """What stands before everything."""
        return b""

    def piece(self, piece: Piece, issued: Issued | None) -> bytes:
        """What stands for one piece, and counts it."""
        raise NotImplementedError

    def end(self) -> bytes:
        """What stands behind everything, when all was answered."""
        return b""

    def failed(self, _code: str, _detail: str, _retry_after: int | None) -> bytes | None:
        """What stands at the end when the run stopped; None: the answer is to break off."""
        return None

    def _count(self, piece: Piece, issued: Issued | None) -> None:
        self.counts["errors"] += len(piece.errors)
        if issued is None:
            return
        self.counts["recipients"] += len(issued.rows)
        words = [_COUNTED[ruling.verdict.verdict] for ruling in issued.rulings]
        self.counts.update(
            [GONE if row.line_hash is not None else words[row.verdict] for row in issued.rows]
        )

    def _links(self, issued: Issued, base: str) -> list[str]:
        """The address of each row's unsubscribe link, empty where there is none."""
        linked = [_linked(ruling) for ruling in issued.rulings]
        wanted = [
            n for n, row in enumerate(issued.rows) if linked[row.verdict] and row.line_hash is None
        ]
        start = PermitId(issued.frame.organisation_number, issued.batch, 0).to_bytes()[:10]
        made = self._tokens.make_many("unsubscribe", [start + n.to_bytes(2, "big") for n in wanted])
        links = [""] * len(issued.rows)
        for n, token in zip(wanted, made, strict=True):
            links[n] = base + token
        return links


class NdjsonAnswer(Answer):
    """One line for a batch, then one for each of its recipients; a broken line has one in its place."""

    def piece(self, piece: Piece, issued: Issued | None) -> bytes:
        """The batch's line and its recipients' lines."""
        self._count(piece, issued)
        broken = [(one.line, _broken(one)) for one in piece.errors]
        if issued is None:
            return b"".join([_line(line) for _, line in broken])
        base, shared = links_and_headers(issued, self._base_url)
        head = {
            "batch": batch_text(issued.batch),
            "entry_index": issued.entry_index,
            "issued_at": to_text(issued.issued_at),
            "valid_until": to_text(issued.valid_until_at),
            "headers": shared,
            "rulings": [_ruling(ruling) for ruling in issued.rulings],
        }
        lines = self._lines(piece, issued, base)
        if broken:
            told = [*zip(piece.places, lines, strict=True)]
            told += [(place, _line(line).decode()) for place, line in broken]
            lines = [line for _, line in sorted(told)]
        return _line(head) + "".join(lines).encode()

    def end(self) -> bytes:
        """The counts of the whole run."""
        return _line({"done": True, **{n: self.counts[n] for n in COUNTS}, "meaning": MEANING})

    def failed(self, code: str, detail: str, retry_after: int | None) -> bytes:
        """A last line that says why no more comes; there is no `done` then."""
        told: dict[str, Any] = {"code": code, "detail": detail}
        if retry_after is not None:
            told["retry_after"] = retry_after
        return _line({"error": told})

    def _lines(self, piece: Piece, issued: Issued, base: str) -> list[str]:
        number = issued.frame.organisation_number
        ids = permit_ids(number, issued.batch, range(len(issued.rows)))
        endings = [_ending(issued, n) for n in range(len(issued.rulings))]
        links = self._links(issued, base)
        gone = f',"ruling":null,"verdict":"{GONE}","valid_until":null,"unsubscribe_url":null}}\n'
        lines = []
        rows = zip(piece.places, _quoted(piece.addresses), ids, issued.rows, links, strict=True)
        for place, address, permit, row, link in rows:
            ending = endings[row.verdict] if row.line_hash is None else gone
            lines.append(
                f'{{"line":{place},"address":{address},"permit":"{permit}"{ending}"{link}"}}\n'
                if link
                else f'{{"line":{place},"address":{address},"permit":"{permit}"{ending}'
            )
        return lines


class CsvAnswer(Answer):
    """A row per allowed recipient and no other: what a mailer needs to send, in columns."""

    media_type = CSV

    def begin(self) -> bytes:
        """The names of the columns."""
        return _rows([COLUMNS])

    def piece(self, piece: Piece, issued: Issued | None) -> bytes:
        """The rows of those who may be written to."""
        self._count(piece, issued)
        return b"" if issued is None else _rows(self._allowed(piece, issued))

    def _allowed(self, piece: Piece, issued: Issued) -> Iterable[Sequence[str]]:
        base, shared = links_and_headers(issued, self._base_url)
        ids = permit_ids(issued.frame.organisation_number, issued.batch, range(len(issued.rows)))
        links = self._links(issued, base)
        for address, permit, row, link in zip(
            piece.addresses, ids, issued.rows, links, strict=True
        ):
            ruling = issued.rulings[row.verdict]
            if row.line_hash is not None or address is None or not ruling.verdict.allowed:
                continue
            headers = {"List-Unsubscribe": list_unsubscribe(link), **shared} if link else {}
            told = [_guarded(headers.get(name, "")) for name in HEADERS]
            duties = [_guarded(_duty(ruling, "subject_label")), _duty(ruling, "statement_language")]
            until = ruling.end_text(issued.valid_until_at) or ""
            yield [_guarded(address), permit, link, *told, *duties, until]


def _linked(ruling: Ruling) -> bool:
    """Says whether a message that may go needs a way out: one that is no marketing has no list to leave."""
    return ruling.verdict.allowed and ruling.verdict.basis != "service"


def _ending(issued: Issued, number: int) -> str:
    """The end of a recipient's line, the same for all rows of a ruling; where a link belongs, all but that."""
    ruling = issued.rulings[number]
    told = {
        "ruling": number,
        "verdict": ruling.verdict.verdict,
        "valid_until": ruling.end_text(issued.valid_until_at),
    }
    end = ',"unsubscribe_url":' if _linked(ruling) else ',"unsubscribe_url":null}\n'
    return "," + orjson.dumps(told).decode()[1:-1] + end


def _ruling(ruling: Ruling) -> dict[str, Any]:
    verdict = ruling.verdict
    return {
        "verdict": verdict.verdict,
        "basis": verdict.basis,
        "reasons": [reason._asdict() for reason in verdict.reasons],
        "duties": [duty._asdict() for duty in verdict.duties],
    }


def _duty(ruling: Ruling, code: str) -> str:
    """The values that a duty prescribes, each once, one blank between."""
    values = [duty.value for duty in ruling.verdict.duties if duty.code == code and duty.value]
    return " ".join(dict.fromkeys(values))


def _broken(error: LineError) -> dict[str, Any]:
    return {"line": error.line, "error": {"code": error.code, "detail": error.detail}}


def _line(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def _quoted(addresses: Sequence[str | None]) -> list[str]:
    """Returns each address as JSON. All at once: a quote inside a string is never without its backslash."""
    if None in addresses:
        return [orjson.dumps(one).decode() for one in addresses]
    return [f'"{one}"' for one in orjson.dumps(list(addresses))[2:-2].decode().split('","')]


def _guarded(cell: str) -> str:
    """Keeps a spreadsheet from running what others wrote."""
    return f"\t{cell}" if cell.startswith(_FORMULA) else cell


def _rows(rows: Iterable[Sequence[str]]) -> bytes:
    """Writes rows as RFC 4180 has it, every cell quoted."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
