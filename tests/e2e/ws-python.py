# SPDX-License-Identifier: Apache-2.0
"""ws-python.py SOCKET SESSION: a turn with two permissions, with the library websockets. Prints what came as lines."""
import asyncio
import json
import sys

import websockets


async def talk(path, session):
    replies = ["once", "reject"]
    # The turn may be over before what was promised is on disk: the receipt, two decisions, the turn's end.
    left = 4
    async with websockets.unix_connect(path, f"ws://amika/v1/sessions/{session}/ws", max_size=None) as ws:
        await (await ws.ping("are you there?"))
        print(json.dumps({"type": "pong", "text": "are you there?"}))
        await ws.send(json.dumps({"type": "subscribe", "after": 0}))
        # One message in frames.
        text = json.dumps({"type": "message", "request_id": "m", "text": "permission"})
        await ws.send([text[:10], text[10:20], text[20:]])
        async for data in ws:
            if not isinstance(data, str):
                raise RuntimeError("a message that is not text")
            line = json.loads(data)
            print(data)
            if line["type"] == "permission.requested":
                await ws.send(json.dumps({"type": "answer", "decision_id": line["amika"]["decision"]["id"],
                                          "reply": replies.pop(0)}))
            left -= line["type"] in ("receipt", "decision", "turn.ended")
            if left == 0:
                await ws.close(1000, "enough")
        print(json.dumps({"type": "closed", "code": ws.close_code, "reason": ws.close_reason}))


asyncio.run(talk(sys.argv[1], sys.argv[2]))
