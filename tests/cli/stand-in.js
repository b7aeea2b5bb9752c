// SPDX-License-Identifier: Apache-2.0
// What may answer at a URL and is no amikad of ours: node stand-in.js MODE ARG… Prints its port, then a line
// for each request: its method, its target, its Authorization.
//   token SOCKET SECRET  passes on to a daemon's socket what shows the secret, and refuses the rest
//   redirect URL         sends elsewhere
//   page                 has a web page for everything
//   hang-up              closes the connection without an answer
'use strict'
const http = require('http')
const [mode, to, secret] = process.argv.slice(2)

const modes = {
  token(request, reply) {
    if (request.headers.authorization !== 'Bearer ' + secret) {
      reply.writeHead(401, { 'content-type': 'application/problem+json' })
      reply.end('{"type":"urn:sandbox-agent:error:token_invalid","title":"Token Invalid","status":401}')
      return
    }
    const { method, url: path, headers } = request
    const onward = http.request({ socketPath: to, method, path, headers }, (answer) => {
      reply.writeHead(answer.statusCode, answer.headers)
      answer.pipe(reply)
    })
    onward.on('error', () => reply.destroy())
    request.pipe(onward)
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
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
