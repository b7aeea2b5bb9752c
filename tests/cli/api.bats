#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The HTTP API as curl sees it: routes, statuses, bodies, streams.

load helper
load curl

setup_file() {
	helper_setup_file
	amika session list >/dev/null
}

teardown_file() { helper_teardown_file; }

@test "health is open and says ok" {
	run api /v1/health
	[ "$(jq -r .status <<<"$output")" = ok ]
}

@test "agents: every one with its variables and modes" {
	run api "/v1/agents?path=/nowhere"
	jq -e '.agents | map(.id) | contains(["claude","mock"])' <<<"$output"
	jq -e '.agents[] | select(.id=="claude") | .installed == false and (.environment | index("ANTHROPIC_*") != null)' <<<"$output"
	jq -e '.agents[] | select(.id=="mock") | .installed' <<<"$output"
}

@test "a session is made once, listed newest first, shown with its environment masked" {
	run post /v1/sessions/one '{"agent":"mock","directory":"/","environment":{"SECRET":"hunter2"}}'
	[ "$(jq -c . <<<"$output")" = '{"healthy":true,"error":null,"nativeSessionId":"mock-one"}' ]
	[ "$(post /v1/sessions/one '{"agent":"mock"}' -o /dev/null -w '%{http_code}')" = 409 ]
	new_session two
	[ "$(api /v1/sessions | jq -r '.sessions[0].sessionId')" = two ]
	run api /v1/sessions/one
	[ "$(jq -r .environment.SECRET <<<"$output")" = '***' ]
	[[ $output != *hunter2* ]]
}

@test "bad creations: each its own status and sentence" {
	local want body
	while read -r want body; do
		[ "$(post /v1/sessions/bad "$body" -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}')" = "$want" ]
		[ "$(jq -r .status "$BATS_TEST_TMPDIR/body")" = "$want" ]
		[ -n "$(jq -r .detail "$BATS_TEST_TMPDIR/body")" ]
	done <<-'END'
		400 {"agent":"nosuch"}
		400 {"agent":7}
		400 {}
		400 []
		400 {"agent":"mock","permissionMode":"nosuch"}
		400 {"agent":"mock","directory":"relative"}
		400 {"agent":"mock","directory":"/no/such/directory"}
		400 {"agent":"mock","environment":{"AMIKA_X":"1"}}
		400 {"agent":"mock","arguments":[1]}
		400 {"agent":"mock","agent":"mock"}
		400 {"agent":"mock"
		404 {"agent":"claude","environment":{"PATH":"/nowhere"}}
	END
	[ "$(api /v1/sessions/.dot -X POST -H 'Content-Type: application/json' -d '{"agent":"mock"}' -o /dev/null -w '%{http_code}')" = 400 ]
}

@test "errors are problem+json: unknown route, session, method, media type, over-large body" {
	[ "$(status_of /v1/nosuch)" = '404 application/problem+json' ]
	[ "$(status_of /v1/sessions/nosuch)" = '404 application/problem+json' ]
	[ "$(jq -r .type "$BATS_TEST_TMPDIR/body")" = urn:sandbox-agent:error:session_not_found ]
	[ "$(jq -r .sessionId "$BATS_TEST_TMPDIR/body")" = nosuch ]
	[ "$(status_of /v1/sessions -X DELETE)" = '405 application/problem+json' ]
	[ "$(status_of /v1/sessions/x -X POST -H 'Content-Type: text/plain' -d '{}')" = '415 application/problem+json' ]
	head -c 11000000 /dev/zero | tr '\0' a >"$BATS_TEST_TMPDIR/big"
	[ "$(status_of /v1/sessions/x -X POST -H 'Content-Type: application/json' -H 'Expect:' --data-binary "@$BATS_TEST_TMPDIR/big")" = '413 application/problem+json' ]
}

@test "a message: 204, or with Prefer a receipt; the same id twice counts once" {
	new_session msg
	[ "$(post /v1/sessions/msg/messages '{"message":"hello"}' -o /dev/null -w '%{http_code}')" = 204 ]
	turn_over msg 1 >/dev/null
	run post /v1/sessions/msg/messages '{"message":"again","messageId":"k1"}' -H 'Prefer: return=representation'
	[ "$(jq -r '.messageId + " " + .state' <<<"$output")" = 'k1 accepted' ]
	local after
	after=$(jq -r .after <<<"$output")
	turn_over msg 2 >/dev/null
	run post /v1/sessions/msg/messages '{"message":"again","messageId":"k1"}' -H 'Prefer: return=representation'
	[ "$(jq -r '.state' <<<"$output")" = duplicate ]
	[ "$(jq -r '.after' <<<"$output")" = "$after" ]
	[ "$(post /v1/sessions/msg/messages '{"message":"other","messageId":"k1"}' -o /dev/null -w '%{http_code}')" = 409 ]
	[ "$(api '/v1/sessions/msg/events?limit=1000' | jq '[.events[]|select(.type=="turn.started")]|length')" = 2 ]
}

@test "a busy session queues messages in order and says so to those who ask" {
	post /v1/sessions/queue '{"agent":"mock","directory":"/","arguments":["--pace","0"]}'
	post /v1/sessions/queue/messages '{"message":"hang","messageId":"first"}'
	run post /v1/sessions/queue/messages '{"message":"b","messageId":"second"}' -H 'Prefer: return=representation'
	[ "$(jq -r .state <<<"$output")" = queued ]
	post /v1/sessions/queue/messages '{"message":"c","messageId":"third"}'
	[ "$(api /v1/sessions/queue | jq .queued)" = 2 ]
	[ "$(api '/v1/sessions/queue/events' | jq '[.events[]|select(.type=="message.queued")]|length')" = 0 ]
	[ "$(api '/v1/sessions/queue/events?profile=amika' | jq '[.events[]|select(.type=="message.queued")]|length')" = 2 ]
	[ "$(api /v1/sessions/queue/cancel -X POST -o /dev/null -w '%{http_code}')" = 204 ]
	run turn_over queue 3
	[ "$(jq -rs '[.[]|select(.type=="turn.started")|.amika.message]|join(" ")' <<<"$output")" = 'first second third' ]
	[ "$(jq -rs '[.[]|select(.type=="turn.ended")|.amika.outcome]|join(" ")' <<<"$output")" = 'cancelled completed completed' ]
}

@test "events: offset, limit, hasMore, includeRaw" {
	new_session page
	post /v1/sessions/page/messages '{"message":"hello"}'
	turn_over page 1 >/dev/null
	run api '/v1/sessions/page/events?offset=2&limit=3'
	[ "$(jq -c '[.events[].sequence]' <<<"$output")" = '[3,4,5]' ]
	[ "$(jq .hasMore <<<"$output")" = true ]
	[ "$(api '/v1/sessions/page/events?offset=99' | jq -c .)" = '{"events":[],"hasMore":false}' ]
	[ "$(api '/v1/sessions/page/events' | jq '[.events[]|select(.raw!=null)]|length')" = 0 ]
	[ "$(api '/v1/sessions/page/events?includeRaw=true' | jq '[.events[]|select(.raw!=null)]|length')" -gt 0 ]
	[ "$(api '/v1/sessions/page/events?offset=x' -o /dev/null -w '%{http_code}')" = 400 ]
}

@test "SSE carries ids, honours Last-Event-ID and offset, and keeps alive" {
	new_session sse
	post /v1/sessions/sse/messages '{"message":"hello"}'
	turn_over sse 1 >/dev/null
	run bash -c "curl -sSN --max-time 20 --unix-socket '$AMIKA_STATE_DIRECTORY/socket' 'http://localhost/v1/sessions/sse/events/sse' 2>/dev/null | head -n 2"
	[ "${lines[0]}" = 'id: 1' ]
	[[ ${lines[1]} = 'data: {'* ]]
	run bash -c "curl -sSN --max-time 20 -H 'Last-Event-ID: 3' --unix-socket '$AMIKA_STATE_DIRECTORY/socket' 'http://localhost/v1/sessions/sse/events/sse?offset=1' 2>/dev/null | head -n 1"
	[ "$output" = 'id: 4' ]
	run bash -c "curl -sSN --max-time 20 --unix-socket '$AMIKA_STATE_DIRECTORY/socket' 'http://localhost/v1/sessions/sse/events/sse?offset=99' 2>/dev/null | head -n 1"
	[ "$output" = ': keep' ]
}

@test "decisions: asked, listed, answered once, whoever comes second gets 409 and the first one's name" {
	new_session ask
	post /v1/sessions/ask/messages '{"message":"permission"}'
	said ask 2 permission.requested
	run api '/v1/decisions?session=ask'
	[ "$(jq '.decisions|length' <<<"$output")" = 2 ]
	local first second
	first=$(jq -r '.decisions[0].decisionId' <<<"$output")
	second=$(jq -r '.decisions[1].decisionId' <<<"$output")
	[ "$(api "/v1/decisions/$first" | jq -r .state)" = open ]
	run post "/v1/decisions/$first" '{"reply":"once","by":"tester"}'
	[ "$(jq -r '.state + " " + .by' <<<"$output")" = 'answered tester' ]
	[ "$(post "/v1/decisions/$first" '{"reply":"reject"}' -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}')" = 409 ]
	[ "$(jq -r '.by + " " + .answer.reply' "$BATS_TEST_TMPDIR/body")" = 'tester once' ]
	[ "$(post "/v1/sessions/ask/permissions/missing-permission/reply" '{"reply":"once"}' -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}')" = 400 ]
	[ "$(jq -r .detail "$BATS_TEST_TMPDIR/body")" = 'invalid request: unknown permission id: missing-permission' ]
	[ "$(post "/v1/sessions/ask/permissions/$second/reply" '{"reply":"nonsense"}' -o /dev/null -w '%{http_code}')" = 400 ]
	[ "$(post "/v1/sessions/ask/permissions/$second/reply" '{"reply":"reject"}' -o /dev/null -w '%{http_code}')" = 204 ]
	[ "$(post "/v1/sessions/ask/permissions/$second/reply" '{"reply":"once"}' -o /dev/null -w '%{http_code}')" = 409 ]
	run turn_over ask 1
	[ "$(jq -rs '[.[]|select(.type=="permission.resolved")|.data.status]|join(" ")' <<<"$output")" = 'accept reject' ]
	[ "$(status_of /v1/decisions/d_99999)" = '404 application/problem+json' ]
}

@test "questions: reply and reject" {
	new_session quiz
	post /v1/sessions/quiz/messages '{"message":"question"}'
	said quiz 2 question.requested
	run api '/v1/decisions?session=quiz'
	local first second
	first=$(jq -r '.decisions[0].decisionId' <<<"$output")
	second=$(jq -r '.decisions[1].decisionId' <<<"$output")
	[ "$(post "/v1/sessions/quiz/questions/$first/reply" '{"answers":[["Red"]]}' -o /dev/null -w '%{http_code}')" = 204 ]
	[ "$(api "/v1/sessions/quiz/questions/$second/reject" -X POST -o /dev/null -w '%{http_code}')" = 204 ]
	run turn_over quiz 1
	[ "$(jq -rs '[.[]|select(.type=="question.resolved")|.data.status]|join(" ")' <<<"$output")" = 'answered rejected' ]
	[ "$(jq -rs '[.[]|select(.type=="question.resolved")|.data.response]|first' <<<"$output")" = Red ]
}

@test "terminate ends the session for good, twice is fine, messages are refused" {
	new_session gone
	post /v1/sessions/gone/messages '{"message":"hang"}'
	[ "$(api /v1/sessions/gone/terminate -X POST -o /dev/null -w '%{http_code}')" = 204 ]
	[ "$(api /v1/sessions/gone/terminate -X POST -o /dev/null -w '%{http_code}')" = 204 ]
	[ "$(api /v1/sessions/gone | jq -r '.ended,.state' | paste -sd' ')" = 'true ended' ]
	[ "$(post /v1/sessions/gone/messages '{"message":"x"}' -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}')" = 400 ]
	run api '/v1/sessions/gone/events'
	[ "$(jq -r '.events[-1].type + " " + .events[-1].data.reason' <<<"$output")" = 'session.ended terminated' ]
	[ "$(jq -r '[.events[]|select(.type=="turn.ended")|.amika.outcome]|join(" ")' <<<"$output")" = cancelled ]
}
