"""The end of `demo --once`: the bundle is exported, verified offline, and every attack on it is named."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from consentledger.cli.demo.pages import fetch
from consentledger.cli.demo.play import Story, check
from consentledger.cli.demo.shop import Account
from consentledger.cli.demo.world import World, command
from consentledger.verify.bundle import verify_bundle
from consentledger.verify.report import INVALID


def prove(story: Story, world: World, shop: Account, people: tuple[str, str], out: Path) -> None:
    """Export the bundles by API, take the policy from outside, verify, tamper, and check the log.

    The first person's bundle stays in `out`; the second's goes with the demo.
    """
    bundle, policy = out / "bundle.zip", out / "policy.txt"
    second = world.instance.folder / "second.zip"
    with story.step("The auditor takes the evidence away") as said:
        contents = [_export(shop, person) for person in people]
        bundle.write_bytes(contents[0])
        second.write_bytes(contents[1])
        known = fetch(f"{shop.service}/.well-known/consentledger.json").json()
        policy.write_text(known["policy"])
        said += [f"{bundle} ({len(contents[0]):,} bytes)", "the customer’s bundle"]
        said += [f"{policy} from outside the bundles"]
    with story.step("Both verify offline") as said:
        for file in (bundle, second):
            done = command(_alone(world), ["verify", str(file), "--policy", str(policy)])
            check(done.returncode == 0, f"verify: {done.returncode} {done.stdout}{done.stderr}")
        without = command(_alone(world), ["verify", str(bundle)])
        check(without.returncode == 3, "without a policy it is only consistent with itself")
        said += ["exit 0 under the policy: each shown permit decided again", "exit 3 without one"]
    with story.step("One changed bit is caught") as said:
        seen: dict[str, bytes] = {}
        for content in contents:
            # What stands in both alike was changed once already.
            fresh = _members(content).items() - seen.items()
            for name in sorted(name for name, _ in fresh):
                _is_caught(content, name, policy.read_bytes())
            seen |= dict(fresh)
        said += ["in each file of both bundles", "the file is named"]
    with story.step("The log agrees with its raw rows") as said:
        world.run("log", "checkpoint")
        said += [world.run("log", "fsck", "--openings").strip()]


def _export(shop: Account, address: str) -> bytes:
    answer = fetch(
        f"{shop.service}/api/v1/evidence",
        body=json.dumps({"address": address}).encode(),
        Content_Type="application/json",
        Authorization=f"Bearer {shop.api_key}",
        Idempotency_Key=f"demo-evidence-{address.partition('@')[0]}",
    )
    check(answer.status == 200, f"the bundle comes, not {answer.status}: {answer.body[:200]!r}")
    return answer.body


def _is_caught(bundle: bytes, name: str, policy: bytes) -> None:
    report = verify_bundle(io.BytesIO(_tampered(bundle, name)), policy=policy)
    named = {finding.file for finding in report.findings if finding.kind == "failed"}
    check(report.exit_code == INVALID, f"a changed bit in {name} makes the bundle invalid")
    check(name in named, f"the verifier names {name}, not {named}")


def _alone(world: World) -> dict[str, str]:
    """Return the environment without any of our settings: an auditor has none."""
    kept = world.environment.items()
    return {name: value for name, value in kept if not name.startswith("CONSENTLEDGER_")}


def _members(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as opened:
        return {one.filename: opened.read(one) for one in opened.infolist() if one.file_size}


def _tampered(bundle: bytes, name: str) -> bytes:
    """Return the bundle with one bit of one member's content changed, its zip otherwise in order."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            content = bytearray(old.read(info))
            if info.filename == name:
                content[len(content) // 2] ^= 1
            new.writestr(info, bytes(content))
    return target.getvalue()
