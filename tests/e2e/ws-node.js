// SPDX-License-Identifier: Apache-2.0
// ws-node.js PACKAGE SOCKET SESSION: a turn with two permissions, with the npm package ws. Prints what came as lines.
'use strict';
const [, , pkg, socket, session] = process.argv;
const WebSocket = require(pkg);
const ws = new WebSocket(`ws+unix://${socket}:/v1/sessions/${session}/ws`);
const replies = ['once', 'reject'];
// The turn may be over before what was promised is on disk: the receipt, two decisions, the turn's end.
let left = 4;
const say = (line) => ws.send(JSON.stringify(line));

ws.on('open', () => {
	ws.ping('are you there?');
	say({ type: 'subscribe', after: 0 });
	// One message in three frames.
	const text = JSON.stringify({ type: 'message', request_id: 'm', text: 'permission' });
	ws.send(text.slice(0, 10), { fin: false });
	ws.send(text.slice(10, 20), { fin: false });
	ws.send(text.slice(20), { fin: true });
});
ws.on('pong', (data) => console.log(JSON.stringify({ type: 'pong', text: data.toString() })));
ws.on('message', (data, binary) => {
	const line = JSON.parse(data);

	if (binary)
		throw new Error('a message that is not text');
	console.log(data.toString());
	if (line.type === 'permission.requested')
		say({ type: 'answer', decision_id: line.amika.decision.id, reply: replies.shift() });
	if (['receipt', 'decision', 'turn.ended'].includes(line.type) && --left === 0)
		ws.close(1000, 'enough');
});
ws.on('close', (code, reason) => console.log(JSON.stringify({ type: 'closed', code, reason: reason.toString() })));
