#!/usr/bin/env node
'use strict';
/*
 * fake-llm: a scripted stand-in for the LLM HTTP APIs that coding agents call.
 * One file, Node >= 18, no dependencies, loopback only.  See README.md.
 *
 *   node server.js [--port 8099] [--scenario scenario.json] [--log requests.jsonl]
 *
 * Endpoints
 *   POST /v1/messages                Anthropic Messages (JSON or SSE)
 *   POST /v1/messages/count_tokens   Anthropic token count
 *   POST /v1/responses               OpenAI Responses (SSE)
 *   POST /v1/chat/completions        OpenAI Chat Completions (JSON or SSE)
 *   POST /v1beta/models/M:{generateContent,streamGenerateContent,countTokens}   Gemini
 *   GET  /v1/models, /v1beta/models  model list
 *   POST /api/internal?METHOD        just enough of the Amp service; its model calls end in /v1/messages too
 *   GET  /__fake/requests            what was asked so far (JSON array); POST /__fake/reset forgets it
 *
 * What to answer is derived from the request alone (no session state): the last user message that
 * carries a keyword selects a list of steps; the number of assistant turns after that message is
 * the index of the step to play.  So "tool call, then final text" is two steps, and a retried
 * request gets the same step again.  Only a step with "times" looks at a counter.
 */
const http = require('http');
const fs = require('fs');

const argv = process.argv.slice(2);
const opt = (name, dflt) => { const i = argv.indexOf('--' + name); return i < 0 ? dflt : argv[i + 1]; };
const PORT = Number(opt('port', 8099));
const LOG = opt('log', '');
const scenario = opt('scenario', '') ? JSON.parse(fs.readFileSync(opt('scenario'), 'utf8')) : {};
const MODELS = scenario.models || ['fake-model'];
const RULES = (scenario.rules || []).map((r) => ({ ...r, re: new RegExp(r.match, 's') }));
const FALLBACK = scenario.default || [{ text: 'Hello from the fake model.' }];
const SIDE = scenario.side || [{ text: 'Fake title' }];
const played = new Map();            // "keyword#step" -> times played, for steps with "times"
let requests = [];
let serial = 0;
const id = (p) => `${p}_fake${String(++serial).padStart(6, '0')}`;
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/* ---------- choosing the step ---------- */

/* [[...]] directives in the user's text; several in one message are consecutive steps.
 *   [[text:words]]  [[think:words]]  [[slow:ms words]]  [[hang]]  [[drop]]
 *   [[tool:bash echo hi]] [[tool:write PATH words]] [[tool:edit PATH OLD NEW]] [[tool:read PATH]]
 *   [[tool:NAME {"json":"input"}]]   [[tool:planfile words]] (Claude Code's plan file)   [[error:529]] [[error:429 2]] (the first 2 times only) */
function directives(text) {
  const steps = [];
  let open = false;                  // true when the turn still needs a closing text
  for (const m of text.matchAll(/\[\[(text|think|slow|hang|drop|tool|error)(?::(.*?))?\]\]/gs)) {
    const arg = m[2] || '';
    const [head, ...rest] = arg.split(' ');
    const tail = rest.join(' ');
    open = m[1] === 'tool' || (m[1] === 'error' && !!tail);
    if (m[1] === 'text') steps.push({ text: arg });
    else if (m[1] === 'think') steps.push({ thinking: arg || 'I am thinking about it.', text: 'Thought about it.' });
    else if (m[1] === 'slow') steps.push({ text: tail || 'one two three four five six seven eight', chunkMs: Number(head) || 300 });
    else if (m[1] === 'hang') steps.push({ text: 'This reply never ends', hang: true });
    else if (m[1] === 'drop') steps.push({ text: 'This reply is cut short', drop: true });
    else if (m[1] === 'error') steps.push({ error: { status: Number(head) || 500 }, times: Number(tail) || undefined });
    else if (tail.startsWith('{')) steps.push({ tools: [{ name: head, input: JSON.parse(tail) }] });
    else if (head === 'write') steps.push({ tools: [{ name: head, input: { path: rest[0], content: rest.slice(1).join(' ') + '\n' } }] });
    else if (head === 'edit') steps.push({ tools: [{ name: head, input: { path: rest[0], old: rest[1], new: rest.slice(2).join(' ') } }] });
    else if (head === 'read') steps.push({ tools: [{ name: head, input: { path: tail } }] });
    else steps.push({ text: 'Calling a tool.', tools: [{ name: head, input: { command: tail } }] });
  }
  if (open) steps.push({ text: 'Done with the tools.' });
  return steps.length ? steps : null;
}

const subst = (v, m) => typeof v === 'string' ? v.replace(/\{\{(\d)\}\}/g, (_, d) => m[d] || '')
  : Array.isArray(v) ? v.map((x) => subst(x, m))
    : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, subst(x, m)])) : v;

function stepsFor(text) {
  for (const r of RULES) { const m = r.re.exec(text); if (m) return { key: r.match, steps: subst(r.steps, m) }; }
  const d = directives(text);
  return d && { key: JSON.stringify(d), steps: d };   // what else the agent puts around them may change
}

/* req: { turns: [{role, text}], tools: [{name, schema, custom}], model } */
function choose(req) {
  if (!req.tools.length) return SIDE[0];             // titles, summaries: requests that offer no tools
  let after = 0;                                      // assistant turns since the keyword
  let prev = '';
  for (let i = req.turns.length - 1; i >= 0; i--) {
    const t = req.turns[i];
    if (t.role === 'assistant') { if (prev !== 'assistant') after++; } else if (t.role === 'user' || t.role === 'tool') {
      const hit = stepsFor(t.text);
      if (hit) return pick(hit, after);
    }
    prev = t.role;
  }
  return pick({ key: '', steps: FALLBACK }, after);
}

function pick({ key, steps }, n) {
  for (let i = Math.min(n, steps.length - 1); i < steps.length; i++) {
    const s = steps[i];
    if (!s.times) return s;
    const k = `${key}#${i}`;
    const c = played.get(k) || 0;
    if (c < s.times) { played.set(k, c + 1); return s; }
  }
  return { text: 'The scenario has no further step.' };
}

/* ---------- abstract tools onto the ones the agent offers ---------- */

const ALIAS = {
  bash: ['Bash', 'bash', 'shell_command', 'exec_command', 'shell', 'run_shell_command', 'local_shell', 'exec'],
  write: ['Write', 'write', 'write_file', 'create_file', 'apply_patch', 'exec'],
  edit: ['Edit', 'edit', 'replace', 'edit_file', 'apply_patch', 'exec'],
  read: ['Read', 'read', 'read_file'],
  question: ['AskUserQuestion', 'question', 'request_user_input', 'ask_user'],
};
const FIELD = {
  command: ['command', 'cmd', 'script'], path: ['file_path', 'filePath', 'path', 'absolute_path'],
  content: ['content', 'contents'], old: ['old_string', 'oldString', 'oldText', 'old_text'],
  new: ['new_string', 'newString', 'newText', 'new_text'],
};

function bind(call, tools, req) {
  if (call.name === 'planfile') call = { name: 'write', input: { path: req.planFile, content: call.input.command + '\n' } };
  const names = ALIAS[call.name] || [call.name];
  const tool = names.map((n) => tools.find((t) => t.name === n || (t.ns && `${t.ns}__${t.name}` === n))).find(Boolean);
  if (!tool) return { name: call.name, input: call.input };
  const src = call.input;
  if (tool.name === 'exec' && tool.custom && src.command) {      // Codex code mode: the tool input is JavaScript
    return { name: 'exec', custom: `text(JSON.stringify(await tools.exec_command(${JSON.stringify({ cmd: src.command })})))` };
  }
  if (/^(apply_patch|exec)$/.test(tool.name) && src.path) {
    const body = 'old' in src ? `*** Update File: ${src.path}\n@@\n-${src.old}\n+${src.new}\n`
      : `*** Add File: ${src.path}\n${src.content.replace(/\n$/, '').replace(/^/gm, '+')}\n`;
    const patch = `*** Begin Patch\n${body}*** End Patch\n`;
    if (tool.name === 'exec') return { name: 'exec', custom: `text(JSON.stringify(await tools.apply_patch(${JSON.stringify(patch)})))` };
    return tool.custom ? { name: tool.name, custom: patch } : { name: tool.name, input: { input: patch } };
  }
  const props = (tool.schema && tool.schema.properties) || {};
  const input = {};
  for (const [k, v] of Object.entries(src)) {
    const to = ALIAS[call.name] && FIELD[k] ? FIELD[k].find((f) => f in props) || k : k;
    input[to] = k === 'command' && props[to] && props[to].type === 'array' ? ['bash', '-lc', v] : v;
  }
  if (call.name === 'edit' && props.edits) return { name: tool.name, input: { path: src.path, edits: [{ oldText: src.old, newText: src.new }] } };
  for (const r of (tool.schema && tool.schema.required) || []) {
    if (!(r in input) && props[r] && props[r].type === 'string') input[r] = (props[r].enum || ['fake'])[0];
  }
  return { name: tool.name, ns: tool.ns, input };
}

/* ---------- the four dialects: read(body) -> req; send(out) writes the reply ---------- */

const flat = (c) => typeof c === 'string' ? c : !Array.isArray(c) ? ''
  : c.map((p) => (typeof p === 'string' ? p : p.text || '')).join('\n');          // tool results are left out
const hasResult = (c) => Array.isArray(c) && c.some((p) => p.type === 'tool_result');
const cut = (s, n) => s.match(new RegExp(`[\\s\\S]{1,${n}}`, 'g')) || [];

const anthropic = {
  read: (b) => ({
    model: b.model, stream: b.stream,
    turns: b.messages.map((m) => ({ role: hasResult(m.content) ? 'tool' : m.role, text: flat(m.content) })),
    tools: (b.tools || []).map((t) => ({ name: t.name, schema: t.input_schema })),
    planFile: (JSON.stringify(b).match(/\/[^\s"\\]*\/plans\/[\w-]+\.md/) || [])[0],   // Claude Code names it in plan mode
  }),
  async *events(req, step, calls) {
    const msg = { id: id('msg'), type: 'message', role: 'assistant', model: req.model, content: [], stop_reason: null, stop_sequence: null, usage: usage(step, 'anthropic') };
    yield ['message_start', { message: msg }];
    let i = 0;
    const block = async function* (start, deltas) {
      yield ['content_block_start', { index: i, content_block: start }];
      for (const d of deltas) yield ['content_block_delta', { index: i, delta: d }];
      yield ['content_block_stop', { index: i++ }];
    };
    if (step.thinking) yield* block({ type: 'thinking', thinking: '', signature: '' }, [...cut(step.thinking, size(step)).map((t) => ({ type: 'thinking_delta', thinking: t })), { type: 'signature_delta', signature: 'ZmFrZQ==' }]);
    if (step.text) yield* block({ type: 'text', text: '' }, cut(step.text, size(step)).map((t) => ({ type: 'text_delta', text: t })));
    for (const c of calls) yield* block({ type: 'tool_use', id: id('toolu'), name: c.name, input: {} }, cut(JSON.stringify(c.input), 64).map((t) => ({ type: 'input_json_delta', partial_json: t })));
    yield ['message_delta', { delta: { stop_reason: step.stop || (calls.length ? 'tool_use' : 'end_turn'), stop_sequence: null }, usage: { output_tokens: usage(step).out } }];
    yield ['message_stop', {}];
  },
  whole: (req, step, calls) => ({
    id: id('msg'), type: 'message', role: 'assistant', model: req.model, stop_reason: calls.length ? 'tool_use' : 'end_turn', stop_sequence: null, usage: usage(step, 'anthropic'),
    content: [...(step.text ? [{ type: 'text', text: step.text }] : []), ...calls.map((c) => ({ type: 'tool_use', id: id('toolu'), name: c.name, input: c.input }))],
  }),
  frame: ([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`,
  error: (e) => ({ type: 'error', error: { type: e.type || { 401: 'authentication_error', 429: 'rate_limit_error', 529: 'overloaded_error' }[e.status] || 'api_error', message: e.message || `fake error ${e.status}` }, request_id: id('req') }),
};

const responses = {
  read: (b) => ({
    model: b.model, stream: b.stream,
    turns: (typeof b.input === 'string' ? [{ role: 'user', content: b.input }] : b.input || []).map((x) => ({
      role: /_output$/.test(x.type || '') ? 'tool' : /_call$|reasoning/.test(x.type || '') ? 'assistant' : x.role, text: flat(x.content),
    })),
    // newer Codex models carry their tools in an input item, grouped in a namespace
    tools: [...(b.tools || []), ...[].concat(b.input || []).flatMap((x) => (x.type === 'additional_tools' ? x.tools : []))]
      .flatMap((t) => (t.type === 'namespace' ? t.tools.map((x) => ({ ...x, ns: t.name === 'functions' ? '' : t.name })) : [t]))
      .map((t) => ({ name: t.name || t.type, ns: t.ns, schema: t.parameters, custom: t.type === 'custom' })),
  }),
  async *events(req, step, calls) {
    const out = [];
    const resp = { id: id('resp'), object: 'response', created_at: Math.floor(Date.now() / 1000), model: req.model, status: 'in_progress', output: [] };
    yield ['response.created', { response: resp }];
    const item = async function* (start, mid, done) {
      const output_index = out.length;
      yield ['response.output_item.added', { output_index, item: start }];
      for (const [t, d] of mid) yield [t, { item_id: start.id, output_index, ...d }];
      out.push(done);
      yield ['response.output_item.done', { output_index, item: done }];
    };
    if (step.thinking) {
      const x = { id: id('rs'), type: 'reasoning', summary: [] };
      const s = [{ type: 'summary_text', text: step.thinking }];
      yield* item(x, [['response.reasoning_summary_part.added', { summary_index: 0, part: { type: 'summary_text', text: '' } }],
        ...cut(step.thinking, size(step)).map((delta) => ['response.reasoning_summary_text.delta', { summary_index: 0, delta }]),
        ['response.reasoning_summary_text.done', { summary_index: 0, text: step.thinking }],
        ['response.reasoning_summary_part.done', { summary_index: 0, part: s[0] }]], { ...x, summary: s, encrypted_content: 'ZmFrZQ==' });
    }
    if (step.text) {
      const x = { id: id('msg'), type: 'message', role: 'assistant', status: 'in_progress', content: [] };
      const part = { type: 'output_text', text: step.text, annotations: [] };
      yield* item(x, [['response.content_part.added', { content_index: 0, part: { ...part, text: '' } }],
        ...cut(step.text, size(step)).map((delta) => ['response.output_text.delta', { content_index: 0, delta }]),
        ['response.output_text.done', { content_index: 0, text: step.text }],
        ['response.content_part.done', { content_index: 0, part }]], { ...x, status: 'completed', content: [part] });
    }
    for (const c of calls) {
      const call_id = id('call');
      if (c.custom) {
        const x = { id: id('ctc'), type: 'custom_tool_call', status: 'completed', call_id, name: c.name, input: c.custom };
        yield* item({ ...x, input: '' }, [['response.custom_tool_call_input.delta', { delta: c.custom }]], x);
      } else {
        const x = { id: id('fc'), type: 'function_call', status: 'completed', call_id, name: c.name, ...(c.ns ? { namespace: c.ns } : {}), arguments: JSON.stringify(c.input) };
        yield* item({ ...x, arguments: '' }, [['response.function_call_arguments.delta', { delta: x.arguments }]], x);
      }
    }
    yield ['response.completed', { response: { ...resp, status: 'completed', output: out, usage: usage(step, 'responses') } }];
  },
  frame: ([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`,
  error: (e) => ({ error: { type: e.type || 'fake_error', code: e.code || null, message: e.message || `fake error ${e.status}`, param: null } }),
};

const chat = {
  read: (b) => ({
    model: b.model, stream: b.stream,
    turns: b.messages.map((m) => ({ role: m.role, text: m.role === 'tool' ? '' : flat(m.content) })),
    tools: (b.tools || []).map((t) => ({ name: t.function.name, schema: t.function.parameters })),
  }),
  async *events(req, step, calls) {
    const base = { id: id('chatcmpl'), object: 'chat.completion.chunk', created: Math.floor(Date.now() / 1000), model: req.model };
    const d = (delta, finish_reason = null) => ({ ...base, choices: [{ index: 0, delta, finish_reason }] });
    yield d({ role: 'assistant', content: '' });
    for (const t of cut(step.thinking || '', size(step))) yield d({ reasoning_content: t });
    for (const t of cut(step.text || '', size(step))) yield d({ content: t });
    for (const [index, c] of calls.entries()) {
      yield d({ tool_calls: [{ index, id: id('call'), type: 'function', function: { name: c.name, arguments: '' } }] });
      yield d({ tool_calls: [{ index, function: { arguments: JSON.stringify(c.input) } }] });
    }
    yield d({}, calls.length ? 'tool_calls' : 'stop');
    yield { ...base, choices: [], usage: usage(step, 'chat') };
    yield '[DONE]';
  },
  whole: (req, step, calls) => ({
    id: id('chatcmpl'), object: 'chat.completion', created: 0, model: req.model, usage: usage(step, 'chat'),
    choices: [{ index: 0, finish_reason: calls.length ? 'tool_calls' : 'stop', message: { role: 'assistant', content: step.text || null, tool_calls: calls.length ? calls.map((c) => ({ id: id('call'), type: 'function', function: { name: c.name, arguments: JSON.stringify(c.input) } })) : undefined } }],
  }),
  frame: (x) => `data: ${typeof x === 'string' ? x : JSON.stringify(x)}\n\n`,
  error: responses.error,
};

const gemini = {
  read: (b) => ({
    model: 'gemini',
    turns: (b.contents || []).map((c) => ({ role: c.role === 'model' ? 'assistant' : c.parts.some((p) => p.functionResponse) ? 'tool' : 'user', text: flat(c.parts) })),
    tools: (b.tools || []).flatMap((t) => t.functionDeclarations || []).map((t) => ({ name: t.name, schema: t.parametersJsonSchema || t.parameters })),
  }),
  async *events(req, step, calls) {
    const d = (parts, more) => ({ candidates: [{ index: 0, content: { role: 'model', parts }, ...more }], modelVersion: 'fake', responseId: 'fake' });
    for (const t of cut(step.thinking || '', size(step))) yield d([{ text: t, thought: true }]);
    for (const t of cut(step.text || '', size(step))) yield d([{ text: t }]);
    for (const c of calls) yield d([{ functionCall: { id: id('call'), name: c.name, args: c.input } }]);
    yield { ...d([{ text: '' }], { finishReason: 'STOP' }), usageMetadata: usage(step, 'gemini') };
  },
  whole: (req, step, calls) => ({
    candidates: [{ index: 0, finishReason: 'STOP', content: { role: 'model', parts: [...(step.text ? [{ text: step.text }] : []), ...calls.map((c) => ({ functionCall: { name: c.name, args: c.input } }))] } }], usageMetadata: usage(step, 'gemini'),
  }),
  frame: (x) => `data: ${JSON.stringify(x)}\r\n\r\n`,
  error: (e) => ({ error: { code: e.status, message: e.message || `fake error ${e.status}`, status: e.type || 'UNAVAILABLE' } }),
};

// answers of the Amp service that a client-side Amp CLI (AMP_URL=...) asks for besides its model calls
const AMP = { getUserInfo: { id: 'user_fake', email: 'amika@example.invalid', username: 'amika', features: [], team: null } };

const size = (step) => step.chunk || (step.chunkMs ? 5 : 12);
function usage(step, dialect) {
  const u = { in: 100, out: 20, ...(step.usage || {}) };
  if (dialect === 'anthropic') return { input_tokens: u.in, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: u.out };
  if (dialect === 'responses') return { input_tokens: u.in, input_tokens_details: { cached_tokens: 0 }, output_tokens: u.out, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: u.in + u.out };
  if (dialect === 'chat') return { prompt_tokens: u.in, completion_tokens: u.out, total_tokens: u.in + u.out };
  if (dialect === 'gemini') return { promptTokenCount: u.in, candidatesTokenCount: u.out, totalTokenCount: u.in + u.out };
  return u;
}

/* ---------- HTTP ---------- */

function json(res, status, body, headers = {}) {
  const s = JSON.stringify(body);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(s), ...headers });
  res.end(s);
}

async function answer(dialect, body, stream, res) {
  const req = dialect.read(body);
  const step = choose(req);
  let gone = false;
  res.on('close', () => { gone = true; });
  if (step.delayMs) await sleep(step.delayMs);
  if (step.error) return json(res, step.error.status, dialect.error(step.error), step.error.headers);
  const calls = (step.tools || []).map((c) => bind(c, req.tools, req));
  if (!stream && dialect.whole) return json(res, 200, dialect.whole(req, step, calls));
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  let n = 0;
  for await (const ev of dialect.events(req, step, calls)) {
    if (gone) return undefined;
    if (++n === 5 && step.drop) return res.destroy();
    if (n === 5 && step.hang) { while (!gone) await sleep(200); return undefined; }
    res.write(dialect.frame(ev));
    if (step.chunkMs) await sleep(step.chunkMs);
  }
  return res.end();
}

const server = http.createServer(async (req, res) => {
  let raw = '';
  for await (const c of req) raw += c;
  const path = req.url.split('?')[0].replace(/\/{2,}/g, '/');
  let body = {};
  try { body = raw ? JSON.parse(raw) : {}; } catch { body = { unparsed: raw.slice(0, 200) }; }
  if (path === '/__fake/requests') return json(res, 200, requests);
  if (path === '/__fake/reset') { requests = []; played.clear(); return json(res, 200, {}); }
  const headers = Object.fromEntries(Object.entries(req.headers).map(([k, v]) => [k, /^(authorization|x-api-key|x-goog-api-key|cookie)$/.test(k) ? '<redacted>' : v]));
  const entry = { t: Date.now(), method: req.method, path: req.url, headers, body };
  requests.push(entry);
  if (requests.length > 500) requests.shift();
  if (LOG) fs.appendFileSync(LOG, JSON.stringify(entry) + '\n');
  try {
    if (/\/count_tokens$/.test(path)) return json(res, 200, { input_tokens: Math.ceil(raw.length / 4) });
    if (/:countTokens$/.test(path)) return json(res, 200, { totalTokens: Math.ceil(raw.length / 4) });
    if (path === '/api/internal') return json(res, 200, { ok: true, result: AMP[req.url.split('?')[1]] || {} });
    if (req.method === 'GET' && /\/models$/.test(path)) return json(res, 200, { object: 'list', has_more: false, data: MODELS.map((m) => ({ id: m, object: 'model', type: 'model', display_name: m, owned_by: 'fake', created: 0, created_at: '2025-01-01T00:00:00Z' })) });
    if (req.method === 'POST' && /\/messages$/.test(path)) return await answer(anthropic, body, body.stream, res);
    if (req.method === 'POST' && /\/responses$/.test(path)) return await answer(responses, body, true, res);
    if (req.method === 'POST' && /\/chat\/completions$/.test(path)) return await answer(chat, body, body.stream, res);
    if (req.method === 'POST' && /:(stream)?[gG]enerateContent$/.test(path)) return await answer(gemini, body, /:stream/.test(path), res);
    return json(res, 404, { error: { type: 'not_found_error', message: `fake-llm has no ${req.method} ${path}` } });
  } catch (e) {
    if (!res.headersSent) return json(res, 400, { error: { type: 'invalid_request_error', message: String(e && e.stack) } });
    return res.destroy();
  }
});
server.listen(PORT, '127.0.0.1', () => console.log(`fake-llm listening on http://127.0.0.1:${server.address().port}`));
