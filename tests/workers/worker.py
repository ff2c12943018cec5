"""A worker: python worker.py URL NAME LEASE_SECONDS."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import httpx

URL, NAME, LEASE = sys.argv[1], sys.argv[2], int(sys.argv[3])
DOCUMENT = Path(__file__).with_name("worker.graphql").read_text(encoding="utf-8")
WANTED = {"worker": NAME, "stepIds": ["accounts"], "leaseSeconds": LEASE}
CLAIM = {**WANTED, "waitSeconds": 20}
http = httpx.AsyncClient(timeout=40)


async def work(context: dict) -> dict:
    """Yours. It may be begun by one worker and again by another, so do twice only what may be done twice."""
    await asyncio.sleep(context.get("seconds", 0))  # what takes its time
    return {"username": context["employee"].lower()}


async def send(operation: str, given: dict) -> dict:
    """The result of a mutation, which is sent again and again while the server is away."""
    body = {"query": DOCUMENT, "operationName": operation, "variables": {"input": given}}
    while True:
        with suppress(httpx.TransportError, ValueError):  # ValueError: a proxy answers with its own page
            answer = (await http.post(URL, json=body)).json()
            if "errors" not in answer:
                return answer["data"]["result"]
            if answer["errors"][0]["extensions"]["code"] not in ("TIMEOUT", "UNAVAILABLE", "STORAGE_FULL"):
                raise RuntimeError(answer["errors"])
        await asyncio.sleep(1)  # it may be back by then


async def main(held: tuple[dict, ...] = ()) -> None:
    """Claim a step, work while heartbeats keep the claim, complete the step and claim the next one with it."""
    while True:
        while not held:
            held = (await send("Claim", {**CLAIM, "idempotencyKey": uuid4().hex}))["claimed"]
        step = {"id": held[0]["step"]["id"], "claimToken": (key := held[0]["claimToken"])}
        job = asyncio.create_task(work(held[0]["step"]["workflowExecution"]["context"]))
        while not (await asyncio.wait({job}, timeout=LEASE / 3))[0]:
            if (await send("Heartbeat", {**step, "leaseSeconds": LEASE}))["__typename"] != "ClaimSuccess":
                job.cancel()  # another may have the step by now
        error = "The claim is lost." if job.cancelled() else job.exception()
        more = {"message": str(error)} if error else {"outputData": job.result(), "claimNext": WANTED}
        done = await send("Fail" if error else "Complete", {**step, **more, "idempotencyKey": key})
        print(step["id"], done["__typename"], flush=True)
        held = (done["next"],) if done.get("next") else ()


asyncio.run(main())
