"""The steps of an existing customer: a sale, a message about similar products, its report, and one click."""

from __future__ import annotations

from datetime import timedelta

from consentledger.cli.demo.mailbox import one_click_address, press_one_click
from consentledger.cli.demo.play import Story, check
from consentledger.cli.demo.played import Played, codes, reasons
from consentledger.cli.demo.seed import NAME
from consentledger.cli.demo.shop import (
    Sale,
    ask_permits,
    call,
    deliver,
    newsletter,
    record_sale,
)
from consentledger.kernel.clock import now

CUSTOMER = "sam@person.example"
CLOSED = {"objected", "exception_closed"}


def exception(story: Story, played: Played) -> None:
    """Play them all; the customer never signed up for anything."""
    shop, offers = played.shop, played.shop.purposes[0][0]
    with story.step("Sam in Germany buys boots") as said:
        day = (now() - timedelta(days=30)).date().isoformat()
        done = record_sale(shop, Sale(CUSTOMER, "DE", day))
        check(done["recorded"] == 1, f"the sale is recorded: {done}")
        said += ["the sale with its evidence: order, day, what, the opt-out offered and its words"]
    with story.step("The existing-customer exception holds") as said:
        answer = ask_permits(shop, offers, [CUSTOMER])
        permit = answer["permits"][0]
        check(permit["basis"] == "existing_customer", f"similar products: {reasons(answer)}")
        said += [f"{permit['basis']} ({permit['reasons'][0]['rule']})"]
        said += ["allowed, with " + ", ".join(duty["code"] for duty in permit["duties"])]
        other = ask_permits(shop, played.shop.purposes[1][0], [CUSTOMER])
        check("products_not_similar" in codes(other), f"other products: {reasons(other)}")
        said += [f"other products: {reasons(other)}"]
    with story.step("Sam’s message is checked and reported") as said:
        message_id = deliver(shop, newsletter(shop, CUSTOMER, permit))
        letter = played.next_letter(CUSTOMER)
        file = played.world.instance.folder / "sam.eml"
        file.write_bytes(letter.content)
        told = played.world.run("check-message", str(file), "--organisation", NAME)
        check("Nothing failed." in told, told)
        report = {"permit": permit["permit"], "status": "sent", "message_id": message_id}
        sent = call(shop, "sends", {"sends": [report]})
        check(sent["recorded"] == 1 and not sent["sends"][0]["flags"], f"the report: {sent}")
        [found] = call(shop, "permits:find", {"message_id": message_id})["found"]
        check(found["permitted"] and found["permit"] == permit["permit"], f"the find: {found}")
        said += ["check-message: nothing failed", "reported as sent", "found by its Message-ID"]
    with story.step("Sam leaves with one click") as said:
        answered = press_one_click(str(one_click_address(letter.message)))
        check(answered.status == 200, f"RFC 8058 answers 200, not {answered.status}")
        again = record_sale(shop, Sale(CUSTOMER, "DE", now().date().isoformat()))
        check(again["recorded"] == 1, f"a newer sale is recorded: {again}")
        after = ask_permits(shop, offers, [CUSTOMER])
        check(not after["permits"][0]["allowed"], "no permit after an objection")
        check(codes(after) & CLOSED, f"it says why: {reasons(after)}")
        said += ["200", f"another sale opens nothing: {reasons(after)}"]
