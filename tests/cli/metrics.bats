#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# GET /v1/metrics: the format by the letter, what is counted, who may see it; and that nothing is sent anywhere.

load helper

setup() { helper_setup_file; }

teardown() { helper_teardown_file; }

metrics() { curl -sS --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/metrics; }

# The value of one sample.
value() { metrics | grep -v '^#' | grep -F "$1 " | cut -d' ' -f2; }

# Every rule of the text format 0.0.4, and Prometheus' own of names; says what is broken.
check_format() {
	LC_ALL=C awk '
	function bad(why) { print FNR ": " why ": " $0; wrong = 1 }
	/^$/ { bad("an empty line") }
	/^# HELP / { if (NF < 4 || ($3 in helped)) bad("HELP"); helped[$3] = 1; family = $3; next }
	/^# TYPE / {
		if (NF != 4 || $3 != family || $4 !~ /^(counter|gauge|histogram)$/ || ($3 in type)) bad("TYPE")
		if (($4 == "counter") != ($3 ~ /_total$/)) bad("only counters end in _total")
		if ($3 !~ /^amika_[a-z0-9_]*[a-z0-9]$/) bad("name")
		type[$3] = $4; next
	}
	/^#/ { bad("a comment of another kind"); next }
	{
		if (!match($0, /^[a-z_:][a-z0-9_:]*(\{[a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*\})? -?[0-9]+(\.[0-9]+)?$/)) bad("sample")
		name = $1; sub(/\{.*/, "", name); base = name
		if (type[family] == "histogram") sub(/_(bucket|sum|count)$/, "", base)
		if (base != family || !(family in type)) bad("outside its family")
		if ($1 in seen) bad("twice")
		seen[$1] = 1
		if (type[family] != "gauge" && $2 < 0) bad("negative")
		if (name == family "_bucket") {
			if ($2 < last[family]) bad("buckets shrink")
			last[family] = $2
			if ($0 ~ /le="\+Inf"/) inf[family] = $2
		}
		if (type[family] == "histogram" && name == family "_count" && (!(family in inf) || $2 != inf[family])) bad("count")
		samples++
	}
	END { for (f in type) if (type[f] == "histogram" && !(f in inf)) { print f ": no +Inf"; wrong = 1 }
		exit wrong || samples < 40 }'
}

@test "the checker finds what is wrong" {
	local good='# HELP amika_x_total x
# TYPE amika_x_total counter
amika_x_total 1'
	for line in 'amika_x_total 2' 'amika_y 1' 'amika_x_total{a=b} 1' 'amika_x_total{a="b"} x' '' '# TYPE amika_y_total gauge' \
		'# more' 'amika_x_total{a="b"} -1'; do
		run check_format <<<"$good"$'\n'"$line"
		[ "$status" -eq 1 ]
		[[ ${lines[0]} = 4:* ]]
	done
}

@test "the format, the media type, HEAD" {
	amika session create tau --agent mock -- --pace 0
	amika send tau hello >/dev/null
	metrics | check_format
	[ "$(curl -sSI --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/metrics | tr -d '\r' |
		grep -i '^content-type')" = 'Content-Type: text/plain; version=0.0.4; charset=utf-8' ]
	[ "$(metrics | tail -c 1 | xxd -p)" = 0a ] || [ "$(metrics | tail -c 1 | wc -l)" = 1 ]
	[ "$(value "amika_build_info{version=\"$(amikad --version | sed 's/.* //')\"}")" = 1 ]
}

@test "sessions, programs, decisions, messages: what there is" {
	for s in a b c d; do amika session create "$s" --agent mock -- --pace 0; done
	amika send --no-wait a hang
	amika send --no-wait a later
	amika send --no-wait b permission
	said a 1 turn.started
	said b 2 permission.requested
	amika session end c
	# It was given a message and has said nothing yet.
	[ "$(value 'amika_sessions{state="starting"}')" = 1 ]
	[ "$(value 'amika_sessions{state="waiting"}')" = 1 ]
	[ "$(value 'amika_sessions{state="idle"}')" = 1 ]
	[ "$(value 'amika_sessions{state="ended"}')" = 1 ]
	[ "$(value amika_programs)" = 2 ]
	[ "$(value amika_programs_started_total)" = 2 ]
	[ "$(value amika_decisions_open)" = "$(amika decision list --json | wc -l)" ]
	[ "$(value amika_messages_queued)" = 1 ]
	amikad restart
	[ "$(value 'amika_sessions{state="ended"}')" = 1 ]
	[ "$(value 'amika_sessions{state="starting"}')" = 1 ]
	curl -sS -X DELETE --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/sessions/c
	curl -sS -X DELETE --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/sessions/a
	[ "$(value 'amika_sessions{state="ended"}')" = 0 ]
	[ "$(value amika_sessions_forgotten_total)" = 2 ]
	[ "$(value amika_sessions_forgetting)" = 0 ]
}

@test "events, flushes, deliveries, replies: what was done" {
	local n events bytes
	amika session create tau --agent mock -- --pace 0
	events=$(value amika_events_total)
	amika send tau 'flood 1000 50' >/dev/null
	n=$(amika session show --json tau | jq .after)
	[ "$(value amika_events_total)" = "$n" ]
	[ "$n" -gt $((events + 1000)) ]
	bytes=$(($(amika events --json tau | wc -c) - n)) # without the newlines
	[ "$(value amika_event_bytes_total)" = "$bytes" ]
	[ "$(value amika_stream_deliveries_total)" -gt 1000 ]
	[ "$(value amika_stream_bytes_total)" -gt 50000 ]
	[ "$(value amika_store_flush_seconds_count)" -ge 2 ]
	[ "$(value amika_store_commits_total)" -ge 3 ]
	[ "$(value amika_database_bytes)" = "$(stat -c %s "$AMIKA_STATE_DIRECTORY/amika.db")" ]
	n=$(value 'amika_http_replies_total{class="4xx"}')
	for _ in 1 2 3; do curl -sS -o /dev/null --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/sessions/none; done
	[ "$(value 'amika_http_replies_total{class="4xx"}')" = $((n + 3)) ]
}

@test "streams and connections, and those that were one too many" {
	echo '{"streams":2,"streams_per_peer":2,"header_ms":1000}' >"$AMIKA_STATE_DIRECTORY/settings.json"
	amika session create tau --agent mock >/dev/null
	local s=$AMIKA_STATE_DIRECTORY/socket open=()
	for i in 1 2; do
		mkfifo "$BATS_TEST_TMPDIR/$i"
		curl -sSN --unix-socket "$s" http://localhost/v1/sessions/tau/events/sse >"$BATS_TEST_TMPDIR/$i" 2>/dev/null 3>&- &
		open+=($!)
		exec {fd}<"$BATS_TEST_TMPDIR/$i"
		read -r _ <&"$fd"
	done
	[ "$(value amika_streams)" = 2 ]
	[ "$(value amika_http_connections)" = 3 ]
	[ "$(value amika_streams_total)" -ge 2 ]
	run curl -sS -o /dev/null -w '%{http_code}' --unix-socket "$s" http://localhost/v1/sessions/tau/events/sse
	[ "$output" = 503 ]
	[ "$(value 'amika_limited_total{limit="streams"}' | tr -d '\n')" -ge 1 ]
	# One whose header does not come is cut.
	timeout 20 socat -u "UNIX-CONNECT:$s" STDOUT
	[ "$(value 'amika_limited_total{limit="time"}')" -ge 1 ]
	kill "${open[@]}"
	wait "${open[@]}" || [ $? = 143 ]
	amika session end tau
	[ "$(value amika_streams)" = 0 ]
}

@test "an agent has no right to it" {
	cat >"$BATS_TEST_TMPDIR/claude" <<-END
		#!/bin/sh
		curl -sS -o /dev/null -w '{"type":"%{http_code}"}\n' --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/metrics
	END
	chmod +x "$BATS_TEST_TMPDIR/claude"
	PATH="$BATS_TEST_TMPDIR:$PATH" amika session create spy --agent claude
	run -1 amika send spy hello
	run curl -sS --unix-socket "$AMIKA_STATE_DIRECTORY/socket" 'http://localhost/v1/sessions/spy/events?includeRaw=true'
	[ "$(jq -c '[.events[].raw|select(.!=null)|.type]' <<<"$output")" = '["403"]' ]
}

@test "nothing is sent anywhere: no socket of the daemon, or of what it starts, is for the network" {
	strace -o /dev/null true 2>/dev/null || skip "strace: it may not trace here"
	local trace=$BATS_TEST_TMPDIR/trace daemon
	mkfifo "$BATS_TEST_TMPDIR/ready"
	# Where the sanitizers are, that for leaks cannot work while something else traces.
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$trace" -e trace=socket,connect,sendto,sendmsg,sendmmsg,bind \
		amikad serve --ready-fd 5 5>"$BATS_TEST_TMPDIR/ready" 2>/dev/null 3>&- &
	daemon=$!
	read -r _ <"$BATS_TEST_TMPDIR/ready"
	amika session create tau --agent mock -- --pace 0 >/dev/null
	amika send tau hello >/dev/null
	amika send --no-wait tau permission >/dev/null
	said tau 1 permission.requested
	amika decision list --json | amika decision allow >/dev/null
	metrics >/dev/null
	amikad restart >/dev/null
	amika send --no-wait tau hello >/dev/null
	curl -sS -X DELETE --unix-socket "$AMIKA_STATE_DIRECTORY/socket" http://localhost/v1/sessions/tau
	amikad stop >/dev/null
	wait "$daemon"
	grep -q 'socket(AF_UNIX' "$trace"
	run grep -E 'AF_(INET|INET6|NETLINK|PACKET)|sin6?_addr' "$trace"
	[ "$status" -eq 1 ]
}
