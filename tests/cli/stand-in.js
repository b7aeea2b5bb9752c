// SPDX-License-Identifier: Apache-2.0
// What may answer at a URL and is no amikad of ours: node stand-in.js MODE ARG… Prints its port, then a line
// for each request: its method, its target, its Authorization.
//   token SOCKET SECRET  passes on to a daemon's socket what shows the secret, and refuses the rest
//   lose SOCKET          passes on, but hangs up on the first request that is no GET
//   cut SOCKET [METHOD]  passes on, but hangs up instead of its answer; or on the first of that method
//   torn SOCKET          passes on, but of a stream only that all of it is gone, once nothing runs
//   taken SOCKET N       passes on, but says of the first N sessions to be made that there are such already
//   redirect URL         sends elsewhere
//   page                 has a web page for everything
//   hang-up              closes the connection without an answer
// LISTEN names a socket to listen on instead of a port.
'use strict'
const http = require('http')
const [mode, to, what] = process.argv.slice(2)
// As Node does unasked from version 19 on. Older ones write an empty end behind a request on a connection that is to be
// closed, and lose the reply of whoever has answered before that.
const agent = new http.Agent({ keepAlive: true })

let acts = 0
function isFirstAct(request) {
  return (what ? request.method === what : request.method !== 'GET') && acts++ === 0
}

function passOn(request, reply, cut) {
  const { method, url: path, headers } = request
  const onward = http.request({ agent, socketPath: to, method, path, headers }, (answer) => {
    if (cut) {
      request.socket.destroy()
      return
    }
    reply.writeHead(answer.statusCode, answer.headers)
    answer.pipe(reply)
  })
  onward.on('error', () => reply.destroy())
  request.pipe(onward)
}

function sayGone(path, reply) {
  http.get({ agent, socketPath: to, path }, async (answer) => {
    let text = ''
    for await (const piece of answer) text += piece
    const { sessionId, state, after } = JSON.parse(text)
    if (state !== 'idle') {
      setTimeout(sayGone, 20, path, reply)
      return
    }
    const gap = { type: 'gap', session_id: sessionId, after: 0, before: after + 1 }
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.write(`data: {"type":"hello"}\n\ndata: ${JSON.stringify(gap)}\n\n`)
  })
}

const modes = {
  token(request, reply) {
    if (request.headers.authorization !== 'Bearer ' + what) {
      reply.writeHead(401, { 'content-type': 'application/problem+json' })
      reply.end('{"type":"urn:sandbox-agent:error:token_invalid","title":"Token Invalid","status":401}')
      return
    }
    passOn(request, reply)
  },
  lose(request, reply) {
    if (isFirstAct(request)) request.socket.destroy()
    else passOn(request, reply)
  },
  cut(request, reply) {
    passOn(request, reply, isFirstAct(request))
  },
  torn(request, reply) {
    const [, path] = /^(.*)\/events\/sse/.exec(request.url) || []
    if (path) sayGone(path, reply)
    else passOn(request, reply)
  },
  taken(request, reply) {
    if (request.method !== 'POST' || acts++ >= what) {
      passOn(request, reply)
      return
    }
    reply.writeHead(409, { 'content-type': 'application/problem+json' })
    reply.end('{"type":"urn:sandbox-agent:error:session_already_exists","title":"Taken","status":409}')
  },
  redirect(request, reply) {
    reply.writeHead(307, { location: to + request.url })
    reply.end()
  },
  page(request, reply) {
    reply.writeHead(200, { 'content-type': 'text/html' })
    reply.end('<!doctype html><p>Welcome!')
  },
  'hang-up'(request) {
    request.socket.destroy()
  },
}

const server = http.createServer((request, reply) => {
  console.log(`${request.method} ${request.url} ${request.headers.authorization || '-'}`)
  modes[mode](request, reply)
})
const place = process.env.LISTEN ? { path: process.env.LISTEN } : { port: 0, host: '127.0.0.1' }
server.listen(place, () => console.log(server.address().port || 0))
