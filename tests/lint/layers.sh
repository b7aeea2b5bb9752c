#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who may include whom: one row per room, its third-party headers after the bar. Calls go down only.
{
	cat <<'TABLE'
core : core | cJSON.h
event : event core |
loop : loop core | uv.h
client : client event core | curl.h
store : store event loop core | sqlite3.h
http : http loop core | microhttpd.h wslay.h
run : run loop core |
agent : agent event core |
fs : fs loop core | archive.h archive_entry.h
decision : decision store event loop core |
session : session agent run decision store event loop core |
outlet : outlet decision store run http event loop core |
sandbox : sandbox run fs decision store event loop core |
daemon : daemon session sandbox outlet agent run fs decision store http event loop core |
amikad : daemon loop core |
amika-shim : run |
amika-once : run |
bin : client event core |
TABLE
	grep -n '^[[:space:]]*#[[:space:]]*include' lib/*/*.[ch] bin/*.c 2>/dev/null
} | awk '
BEGIN { third = " cJSON.h uv.h curl.h sqlite3.h microhttpd.h wslay.h archive.h archive_entry.h " }
/^[a-z-]+ : / { split($0, half, "[|]"); split(half[1], left, " : "); may[left[1]] = " " left[2] " "
	uses[left[1]] = " " half[2] " "; next }
{
	split($0, part, ":"); n = split(part[1], path, "/"); room = path[1] == "bin" ? "bin" : path[2]
	name = path[n]; sub(/\.c$/, "", name)
	if (path[1] == "bin" && name in may) room = name
	where = part[1] ":" part[2] ": "; header = $0; sub(/^[^<"]*[<"]/, "", header); sub(/[>"].*/, "", header)
	if (!(room in may)) { print where "room " room " is not in tests/lint/layers.sh"; bad = 1; next }
	if (index($0, "\"") && index(header, "/")) {
		topic = header; sub("/.*", "", topic)
		if (!index(may[room], " " topic " ")) { print where room " may not include " header; bad = 1 }
	}
	base = header; sub(".*/", "", base)
	if (index(third, " " base " ") && !index(uses[room], " " base " ")) {
		print where room " may not use " header; bad = 1 }
	if (base == "cJSON.h" && part[1] != "lib/core/json.c") { print where "cJSON stays in lib/core/json.c"; bad = 1 }
}
END { exit bad }'
